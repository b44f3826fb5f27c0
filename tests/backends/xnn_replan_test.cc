// Packed weights survive planning for other shapes, and a node can change hands between backends.
#include "runtime/exec/dispatch.h"
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

// One convolution that is planned again and again, as a session does for every new input shape.
class Planned {
 public:
  explicit Planned(TestTensor w) : w_(std::move(w)) {
    schema::ConvOptionsT o;
    o.pads = {1, 1, 1, 1};
    builder_.Finish(schema::ConvOptions::Pack(builder_, &o));
    node_.op = schema::Op::ConvOptions;
    node_.options = flatbuffers::GetRoot<schema::ConvOptions>(builder_.GetBufferPointer());
    views_[1] = op_runner_detail::view_of(w_, "w");
    node_.inputs = {pointers_, 2};
    node_.outputs = {pointers_ + 2, 1};
  }
  std::vector<float> run(const TestTensor& x, BackendChoice choice) {
    views_[0] = op_runner_detail::view_of(x, "x");
    const OpDef& def = *find_op(node_.op);
    REQUIRE(def.infer(node_).is_ok());
    kernel_ = {};
    PrepareContext context(&kernel_, &state_, nullptr);
    REQUIRE(choose_kernel(def, node_, {choice}, context, &kernel_).is_ok());
    std::vector<float> y(static_cast<size_t>(node_.out(0).count()) + 16),
        scratch(kernel_.scratch_bytes / 4 + 32);
    node_.out(0).data = y.data();
    if (kernel_.bind != nullptr) REQUIRE(kernel_.bind(node_, state_.get(), scratch.data(), nullptr).is_ok());
    RunContext run{nullptr, scratch.data(), state_.get()};
    kernel_.run(node_, run);
    y.resize(static_cast<size_t>(node_.out(0).count()));
    return y;
  }
  const NodeState* state() const { return state_.get(); }
  std::string backend() const { return kernel_.backend; }

 private:
  TestTensor w_;
  flatbuffers::FlatBufferBuilder builder_;
  TensorView views_[3];
  TensorView* pointers_[3] = {&views_[0], &views_[1], &views_[2]};
  NodeView node_;
  Kernel kernel_;
  std::unique_ptr<NodeState> state_;
};

TestTensor random_weights(bool is_constant, bool depthwise) {
  RandomTensors random(41);
  TestTensor w = random.floats(depthwise ? Shape{12, 3, 3, 1} : Shape{9, 3, 3, 12});
  w.is_constant = is_constant;
  return w;
}

}  // namespace

TEST_CASE("packed weights are kept from plan to plan and every shape gives what a fresh plan gives") {
  RandomTensors random(42);
  Planned kept(random_weights(true, false));
  const NodeState* first = nullptr;
  for (const Shape& shape : {Shape{1, 8, 9, 12}, Shape{3, 8, 9, 12}, Shape{1, 17, 4, 12}, Shape{1, 1, 1, 12},
                             Shape{1, 8, 9, 12}}) {
    const TestTensor x = random.floats(shape);
    const std::vector<float> y = kept.run(x, BackendChoice::automatic);
    CHECK(kept.backend() == "xnnpack");
    if (first == nullptr) first = kept.state();
    CHECK(kept.state() == first);
    Planned fresh(random_weights(true, false));
    CHECK(y == fresh.run(x, BackendChoice::automatic));
  }
}

TEST_CASE("weights that are values of one plan only are packed again") {
  RandomTensors random(43);
  Planned node(random_weights(false, false));
  const TestTensor x = random.floats({1, 6, 6, 12});
  node.run(x, BackendChoice::automatic);
  CHECK(node.backend() == "xnnpack");
  const std::vector<float> y = node.run(x, BackendChoice::automatic);
  Planned fresh(random_weights(true, false));
  CHECK(y == fresh.run(x, BackendChoice::automatic));
}

TEST_CASE("a node may move between the backends from plan to plan") {
  RandomTensors random(44);
  Planned node(random_weights(true, false));
  const TestTensor x = random.floats({1, 6, 7, 12}), empty = random.floats({0, 6, 7, 12});
  const std::vector<float> a = node.run(x, BackendChoice::automatic);
  CHECK(node.run(empty, BackendChoice::automatic).empty());  // XNNPACK is given no empty tensors
  CHECK(node.backend() == "reference");
  CHECK(node.state() == nullptr);
  CHECK(node.run(x, BackendChoice::automatic) == a);
  CHECK(node.backend() == "xnnpack");
}

}  // namespace pith
