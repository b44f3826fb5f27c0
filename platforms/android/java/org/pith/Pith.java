// Runs .pith models from Java and Kotlin, over libpith_jni.so (platforms/android/pith_jni.cc).
//
//   try (Pith.Model model = Pith.open("/data/.../digits.pith"); Pith.Session session = model.session(2)) {
//     session.prepare();
//     session.input(0).data.asFloatBuffer().put(pixels);
//     session.run();
//     session.output(0).data.asFloatBuffer().get(scores);
//   }
//
// A model may be shared by threads, a session belongs to one at a time. Buffers are the session's own memory: those of inputs
// stay valid until the next prepare or close, those of outputs until the next run. Closing twice is allowed; using what is
// closed throws IllegalStateException.
package org.pith;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

public final class Pith {
  static {
    System.loadLibrary("pith_jni");
  }

  private Pith() {}

  /** Thrown by every call that fails; the message says what, where, expected and found. */
  public static final class PithException extends RuntimeException {
    private static final long serialVersionUID = 1;
    /** The pith_status number: 2 bad argument, 3 bad file, 4 unsupported, 5 no memory, 6 cannot be read, 1 a defect of Pith. */
    public final int code;

    PithException(int code, String message) {
      super(message);
      this.code = code;
    }
  }

  /** An input or output as it is now. */
  public static final class Tensor {
    public final String name;
    /** "f32", "i8", ... */
    public final String dtype;
    /** -1: not known yet. null: not even the number of dims is. */
    public final long[] shape;
    /** In native order; null before prepare (inputs) or before the run (outputs). */
    public final ByteBuffer data;
    /** real = scale * (code - zeroPoint); scale 0: not quantized. */
    public final float scale;
    public final int zeroPoint;

    Tensor(String name, String dtype, long[] shape, ByteBuffer data, float scale, int zeroPoint) {
      this.name = name;
      this.dtype = dtype;
      this.shape = shape;
      this.data = data == null ? null : data.order(ByteOrder.nativeOrder());
      this.scale = scale;
      this.zeroPoint = zeroPoint;
    }
  }

  public static final class Model implements AutoCloseable {
    private long handle;

    Model(long handle) {
      this.handle = handle;
    }

    /** threads: 0 takes the processors this process may use. */
    public Session session(int threads) {
      return new Session(createSession(alive(handle), threads));
    }

    /** What the converter wrote under this key, or null. */
    public String metadata(String key) {
      return Pith.metadata(alive(handle), key);
    }

    @Override
    public void close() {
      destroyModel(handle);
      handle = 0;
    }
  }

  public static final class Session implements AutoCloseable {
    private long handle;

    Session(long handle) {
      this.handle = handle;
    }

    public int inputCount() {
      return Pith.count(alive(handle), true);
    }

    public int outputCount() {
      return Pith.count(alive(handle), false);
    }

    public Tensor input(int index) {
      return tensor(alive(handle), index, true);
    }

    public Tensor output(int index) {
      return tensor(alive(handle), index, false);
    }

    public void setInputShape(int index, long... dims) {
      Pith.setInputShape(alive(handle), index, dims);
    }

    /** Plans and allocates for the present shapes; then inputs have data to write into. */
    public void prepare() {
      Pith.prepare(alive(handle));
    }

    public void run() {
      Pith.run(alive(handle));
    }

    @Override
    public void close() {
      destroySession(handle);
      handle = 0;
    }
  }

  public static Model open(String path) {
    return new Model(openModel(path));
  }

  /** The version of the library. */
  public static native String version();

  private static long alive(long handle) {
    if (handle == 0) throw new IllegalStateException("this model or session is closed");
    return handle;
  }

  private static native long openModel(String path);

  private static native void destroyModel(long model);

  private static native String metadata(long model, String key);

  private static native long createSession(long model, int threads);

  private static native void destroySession(long session);

  private static native int count(long session, boolean inputs);

  private static native Tensor tensor(long session, int index, boolean inputs);

  private static native void setInputShape(long session, int index, long[] dims);

  private static native void prepare(long session);

  private static native void run(long session);
}
