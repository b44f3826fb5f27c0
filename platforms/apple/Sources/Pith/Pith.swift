// Runs .pith models from Swift.
//
//   let model = try Model(path: url.path)
//   let session = try model.session(threads: 2)
//   try session.prepare()
//   session.input(0).withElements(of: Float.self) { pixels in pixels.update(from: image) }
//   try session.run()
//   let scores = session.output(0).elements(of: Float.self)
//
// A model may be shared by threads; a session belongs to one at a time.
import CPith

public struct PithError: Error, CustomStringConvertible {
  /// The pith_status number.
  public let code: Int
  /// What, where, expected and found.
  public let description: String
}

private func check(_ status: pith_status) throws {
  if status != PITH_OK {
    throw PithError(code: Int(status.rawValue), description: String(cString: pith_last_error()))
  }
}

public func pithVersion() -> String { String(cString: pith_version()) }

/// An input or output as it is now. It keeps its session alive; data is valid until the next prepare or run.
public struct Tensor {
  private let raw: pith_tensor
  private let owner: Session

  fileprivate init(_ raw: pith_tensor, _ owner: Session) {
    precondition(raw.name != nil, "no tensor of that index")
    self.raw = raw
    self.owner = owner
  }

  public var name: String { String(cString: raw.name) }
  public var dtype: String { String(cString: pith_dtype_name(raw.dtype)) }
  public var scale: Float { raw.scale }
  public var zeroPoint: Int { Int(raw.zero_point) }
  public var byteCount: Int { raw.bytes }

  /// nil: not even the number of dims is known yet; -1: a dim that is not.
  public var shape: [Int]? {
    if raw.rank < 0 { return nil }
    return withUnsafeBytes(of: raw.dims) { bytes in
      bytes.bindMemory(to: Int64.self).prefix(Int(raw.rank)).map { Int($0) }
    }
  }

  /// The tensor's own memory as elements of T; empty before prepare (inputs) or before the run (outputs).
  public func withElements<T, R>(of type: T.Type, _ body: (UnsafeMutableBufferPointer<T>) throws -> R) rethrows -> R {
    let count = raw.bytes / MemoryLayout<T>.stride
    let start = raw.data?.bindMemory(to: T.self, capacity: count)
    return try body(UnsafeMutableBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  public func elements<T>(of type: T.Type) -> [T] { withElements(of: type) { Array($0) } }
}

public final class Model {
  fileprivate let handle: OpaquePointer

  public init(path: String) throws {
    var model: OpaquePointer?
    try check(pith_model_open(path, nil, &model))
    handle = model!
  }
  deinit { pith_model_destroy(handle) }

  public func metadata(_ key: String) -> String? { pith_model_metadata(handle, key).map { String(cString: $0) } }

  /// threads: 0 takes the processors this process may use.
  public func session(threads: UInt32 = 1) throws -> Session { try Session(self, threads: threads) }
}

public final class Session {
  private let handle: OpaquePointer

  fileprivate init(_ model: Model, threads: UInt32) throws {
    var options = pith_session_options()
    options.size = MemoryLayout<pith_session_options>.size
    options.threads = threads
    var session: OpaquePointer?
    try check(pith_session_create(model.handle, &options, &session))
    handle = session!
  }
  deinit { pith_session_destroy(handle) }

  public var inputCount: Int { pith_session_input_count(handle) }
  public var outputCount: Int { pith_session_output_count(handle) }
  public func input(_ index: Int) -> Tensor { Tensor(pith_session_input(handle, index), self) }
  public func output(_ index: Int) -> Tensor { Tensor(pith_session_output(handle, index), self) }

  public func setInputShape(_ index: Int, _ dims: [Int]) throws {
    try check(pith_session_set_input_shape(handle, index, dims.map { Int64($0) }, Int32(dims.count)))
  }
  /// Plans and allocates for the present shapes; then inputs have memory to write into.
  public func prepare() throws { try check(pith_session_prepare(handle)) }
  public func run() throws { try check(pith_session_run(handle)) }
}
