// The Java class over JNI: opens, describes, runs, refuses, closes. Usage: java PithJavaTest GOLDEN_FOLDER
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.pith.Pith;

public final class PithJavaTest {
  private static int checks;

  private static void check(boolean good, String what) {
    ++checks;
    if (!good) throw new AssertionError(what);
  }

  private interface Call {
    void run();
  }

  private static void refused(int code, String words, Call call) {
    try {
      call.run();
    } catch (Pith.PithException e) {
      check(e.code == code, "code " + e.code + ": " + e.getMessage());
      check(e.getMessage().contains(words), e.getMessage());
      return;
    }
    throw new AssertionError("not refused: " + words);
  }

  // Floats of the line "ROLE NAME f32 DIMS : HEX ...", dims into `shape`.
  private static float[] golden(Path file, String role, List<Long> shape) throws IOException {
    for (String line : Files.readAllLines(file)) {
      if (!line.startsWith(role)) continue;
      String[] halves = line.split(" : ");
      for (String dim : Arrays.asList(halves[0].split(" ")).subList(3, halves[0].split(" ").length)) shape.add(Long.parseLong(dim));
      String[] words = halves[1].trim().split(" ");
      float[] values = new float[words.length];
      for (int i = 0; i < words.length; ++i)
        values[i] = Float.intBitsToFloat(Integer.reverseBytes((int) Long.parseLong(words[i], 16)));
      return values;
    }
    throw new AssertionError("no " + role + " in " + file);
  }

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    List<Long> inputShape = new ArrayList<>(), outputShape = new ArrayList<>();
    float[] pixels = golden(folder.resolve("conv-bn-relu.txt"), "input", inputShape);
    float[] expected = golden(folder.resolve("conv-bn-relu.txt"), "output", outputShape);
    long[] dims = inputShape.stream().mapToLong(Long::longValue).toArray();
    check(Pith.version().matches("\\d+\\.\\d+\\.\\d+"), Pith.version());
    refused(6, "cannot open", () -> Pith.open("/no/such/file.pith"));
    refused(3, "magic", () -> Pith.open(folder.resolve("conv-bn-relu.txt").toString()));
    refused(2, "must not be NULL", () -> Pith.open(null));

    Pith.Model model = Pith.open(folder.resolve("conv-bn-relu.pith").toString());
    check(model.metadata("no such key") == null, "metadata");
    for (int threads = 1; threads <= 2; ++threads) {
      try (Pith.Session session = model.session(threads)) {
        check(session.inputCount() == 1 && session.outputCount() == 1, "counts");
        check(session.input(0).dtype.equals("f32") && session.input(0).shape[0] == -1, "description");
        check(session.input(0).data == null, "no data before prepare");
        refused(2, "expects shape", () -> session.setInputShape(0, 1, 2));
        refused(2, "does not exist", () -> session.setInputShape(7, 1));
        refused(2, "set its actual shape", session::run);
        session.setInputShape(0, dims);
        session.prepare();
        session.input(0).data.asFloatBuffer().put(pixels);
        session.run();
        Pith.Tensor output = session.output(0);
        check(Arrays.equals(output.shape, outputShape.stream().mapToLong(Long::longValue).toArray()), "shape");
        FloatBuffer scores = output.data.asFloatBuffer();
        check(scores.remaining() == expected.length, "size");
        for (int i = 0; i < expected.length; ++i)
          check(Math.abs(scores.get(i) - expected[i]) <= 1e-4f * Math.max(1, Math.abs(expected[i])), "value " + i);
        try {
          session.input(1);
          throw new AssertionError("input 1 exists");
        } catch (IndexOutOfBoundsException e) {
          ++checks;
        }
      }
    }
    model.close();
    model.close();
    try {
      model.session(1);
      throw new AssertionError("a closed model gave a session");
    } catch (IllegalStateException e) {
      ++checks;
    }
    System.out.println("platform_java: " + checks + " checks passed");
  }
}
