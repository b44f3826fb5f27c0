// Finds models with reference results in a folder tree. Known layouts, by what lies beside the .onnx file:
//   model.onnx + test_data_set_N/{input,output}_M.pb     ONNX backend tests, model zoo
//   model.onnx + ref*/names.json + {input,output}_M.npy  several models in a folder: ref_<stem>/ belongs to
//   <stem>.onnx NAME.onnx  + NAME_output_M.pb                        ONNX "light" models: inputs by the
//   backend runner's rule NAME.onnx                                            no reference: converted and
//   run on made inputs only
#pragma once
#include <string>
#include <vector>

#include "converter/data/host_tensor.h"
#include "runtime/base/status.h"

namespace pith {

struct ModelTestCase {
  std::string name;  // "test_data_set_0", "ref_batch3", "light", ""
  std::vector<std::string> input_files, output_files;
  std::vector<std::string> input_names, output_names;  // from names.json; empty: by position
  bool made_inputs = false;
};

struct ModelTest {
  std::string name;  // path of the folder, or of the .onnx file, below the root
  std::string model_path;
  bool backend_test = false;  // an ONNX backend test: element-wise criterion
  std::vector<ModelTestCase> cases;
};

// In order of their names.
Result<std::vector<ModelTest>> find_model_tests(const std::string& folder);

// A tensor from .pb (TensorProto) or .npy.
Result<data::HostTensor> read_test_tensor(const std::string& path);

// i / count for element i: what the ONNX backend runner feeds models that come without input.
data::HostTensor made_input(DType dtype, std::vector<int64_t> shape);

}  // namespace pith
