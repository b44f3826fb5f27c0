// Inputs from files or noise, checked against what the model declares.
#include "cli/model_setup.h"

#include <cstring>
#include <random>

#include "converter/data/npy.h"

namespace pith::cli {
namespace {

bool accepts(const TensorView& declared, const data::HostTensor& given) {
  if (declared.dtype != given.dtype) return false;
  if (!declared.shape.has_rank()) return given.shape.size() <= static_cast<size_t>(kMaxRank);
  if (given.shape.size() != static_cast<size_t>(declared.shape.rank())) return false;
  for (size_t d = 0; d < given.shape.size(); ++d)
    if (const int64_t want = declared.shape[static_cast<int>(d)]; want >= 0 && want != given.shape[d])
      return false;
  return true;
}

std::string describe(const TensorView& t) {
  return format("'%s' (%s %s)", t.name, name_of(t.dtype), t.shape.text().c_str());
}

size_t find_input(const Session& session, const std::string& name) {
  for (size_t i = 0; i < session.input_count(); ++i)
    if (name == session.input(i).name) return i;
  return session.input_count();
}

}  // namespace

Result<SessionOptions> session_options(size_t threads) {
  SessionOptions options;
  PITH_RETURN_IF_ERROR(read_environment(&options));
  options.threads = threads;
  return options;
}

Result<Loaded> load_session(const std::string& path, size_t threads) {
  Loaded loaded;
  PITH_ASSIGN(const SessionOptions session_opts, session_options(threads));
  PITH_ASSIGN(loaded.model, load_model(path));
  PITH_ASSIGN(loaded.session, Session::create(loaded.model.model, session_opts));
  return loaded;
}

Status feed(Session& session, const std::vector<data::HostTensor>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].shape.size() > static_cast<size_t>(kMaxRank))
      return Status(Code::bad_argument, format("input '%s' has %zu dimensions; at most %d are supported",
                                               session.input(i).name, inputs[i].shape.size(), kMaxRank));
    PITH_RETURN_IF_ERROR(session.set_input_shape(i, Shape(inputs[i].shape)));
  }
  PITH_RETURN_IF_ERROR(session.prepare());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].bytes.empty())
      std::memcpy(session.input(i).data, inputs[i].bytes.data(), inputs[i].bytes.size());
  return Status::ok();
}

Result<std::vector<data::HostTensor>> read_inputs(const Session& session,
                                                  const std::vector<std::string>& given) {
  std::vector<data::HostTensor> inputs(session.input_count());
  std::vector<bool> found(inputs.size());
  std::string problems;
  for (const std::string& text : given) {
    // "NAME=x.npy" when NAME is an input; a name may hold '=', a path too.
    size_t at = inputs.size(), equals = text.find('=');
    for (; equals != std::string::npos && at == inputs.size(); equals = text.find('=', equals + 1)) {
      at = find_input(session, text.substr(0, equals));
      if (at < inputs.size()) break;
    }
    if (equals == std::string::npos && text.find('=') == std::string::npos && inputs.size() == 1) at = 0;
    if (at == inputs.size()) {
      problems += "\n  '" + text + "' names no input; expected NAME=x.npy";
      continue;
    }
    if (found[at]) problems += format("\n  input '%s' is given twice", session.input(at).name);
    found[at] = true;
    const std::string path = equals == std::string::npos ? text : text.substr(equals + 1);
    PITH_ASSIGN(inputs[at], data::read_npy(path));
    if (!accepts(session.input(at), inputs[at]))
      problems += format("\n  input %s does not take %s %s from '%s'", describe(session.input(at)).c_str(),
                         name_of(inputs[at].dtype), data::shape_text(inputs[at].shape).c_str(), path.c_str());
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!found[i])
      problems += "\n  input " + describe(session.input(i)) + " is missing: give --input NAME=x.npy";
  if (!problems.empty()) return Status(Code::bad_argument, "the inputs do not fit the model:" + problems);
  return inputs;
}

Result<std::vector<data::HostTensor>> noise_inputs(const Session& session,
                                                   const std::map<std::string, Shape>& shapes) {
  std::vector<data::HostTensor> inputs(session.input_count());
  std::mt19937 random(1);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorView& declared = session.input(i);
    Shape shape = declared.shape.has_rank() ? declared.shape : Shape();
    if (const auto given = shapes.find(declared.name); given != shapes.end()) shape = given->second;
    for (int d = 0; d < shape.rank(); ++d)
      if (shape[d] < 0) shape[d] = 1;
    inputs[i].dtype = declared.dtype;
    inputs[i].shape.assign(shape.dims().begin(), shape.dims().end());
    uint64_t bytes = 0;
    if (!data::tensor_bytes(inputs[i].shape, declared.dtype, &bytes) || bytes > uint64_t{1} << 34)
      return Status(Code::bad_argument, "input " + describe(declared) + " is too large to make up data for");
    std::vector<double> values(static_cast<size_t>(inputs[i].count()));
    // Integers get 0: they are often indices, and 0 is one that always exists.
    for (double& v : values) v = is_float(declared.dtype) ? (random() >> 8) * 0x1p-24 : 0;
    inputs[i].bytes.resize(bytes);
    data::from_doubles(declared.dtype, values.data(), values.size(), inputs[i].bytes.data());
  }
  for (const auto& [name, shape] : shapes)
    if (find_input(session, name) == inputs.size())
      return Status(Code::bad_argument, "--shape names '" + name + "', which is no input of the model");
  return inputs;
}

}  // namespace pith::cli
