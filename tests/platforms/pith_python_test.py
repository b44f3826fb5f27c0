"""The ctypes binding: a model of two layers opened, described, run and refused. Usage: PITH_LIBRARY=... pith_python_test.py PITH_PROGRAM"""
import array
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "platforms/python"))
import pith  # noqa: E402

PROGRAM = sys.argv.pop(1)


def golden(name):
    """{input or output name: (shape, floats)} of a golden file of the format."""
    import struct
    found = {}
    with open(os.path.join(ROOT, "tests/data/format/v1.0", name + ".txt"), encoding="utf-8") as f:
        for line in f:
            head, _, values = line.partition(":")
            _, tensor, _, *dims = head.split()
            found[tensor] = ([int(d) for d in dims], array.array("f", struct.unpack(f"<{len(values.split())}f", bytes.fromhex(values))))
    return found


class PithTest(unittest.TestCase):
    def setUp(self):
        self.model = pith.Model(os.path.join(ROOT, "tests/data/format/v1.0/conv-bn-relu.pith"))
        self.golden = golden("conv-bn-relu")

    def check_run(self, session, run):
        name = session.inputs[0].name
        shape, values = self.golden[name]
        session.set_input_shape(0, shape)
        result = run(session, name, values)
        for output in session.outputs:
            want_shape, want = self.golden[output.name]
            self.assertEqual(list(output.shape), want_shape)
            got = array.array("f", result[output.name].tobytes())
            self.assertEqual(len(got), len(want))
            for a, b in zip(got, want):
                self.assertAlmostEqual(a, b, delta=1e-4)

    def test_a_run_by_name_gives_the_golden_output(self):
        self.check_run(self.model.session(), lambda s, name, values: s.run(**{name: memoryview(values).cast("B")}))

    def test_a_run_in_order_on_two_threads_and_the_reference_gives_the_same(self):
        self.check_run(self.model.session(threads=2, backend="reference"), lambda s, _, values: s.run(memoryview(values).cast("B")))

    def test_inputs_can_be_written_in_place(self):
        def run(session, _, values):
            session.prepare()
            session.inputs[0].write(values)
            return session.run()
        self.check_run(self.model.session(), run)

    def test_numpy_arrays_go_in_and_come_out(self):
        if pith.numpy is None:
            self.skipTest("skipped: NumPy is not installed")
        shape, values = self.golden[self.model.session().inputs[0].name]
        session = self.model.session()
        result = session.run(pith.numpy.frombuffer(values, dtype="float32").reshape(shape))
        for name, value in result.items():
            self.assertEqual(list(value.shape), self.golden[name][0])

    def test_tensors_describe_themselves(self):
        tensor = self.model.session().inputs[0]
        self.assertEqual(tensor.dtype, "f32")
        self.assertEqual(len(tensor.shape), 4)
        self.assertIn(tensor.name, repr(tensor))

    def test_a_session_outlives_its_model(self):
        session = self.model.session()
        self.model = None
        self.check_run(session, lambda s, name, values: s.run(**{name: memoryview(values).cast("B")}))

    def test_errors_carry_the_code_and_the_librarys_words(self):
        with self.assertRaisesRegex(pith.PithError, "cannot open") as caught:
            pith.Model("/no/such/file.pith")
        self.assertEqual(caught.exception.code, 6)
        with tempfile.NamedTemporaryFile() as broken:
            broken.write(b"not a model" * 100)
            broken.flush()
            with self.assertRaisesRegex(pith.PithError, "magic"):
                pith.Model(broken.name)
        session = self.model.session()
        name = session.inputs[0].name
        with self.assertRaisesRegex(pith.PithError, "expects shape"):
            session.set_input_shape(0, [1, 2])
        with self.assertRaisesRegex(pith.PithError, "set its actual shape"):
            session.run()
        with self.assertRaisesRegex(pith.PithError, "inputs are"):
            session.run(nonsense=b"")
        session.set_input_shape(0, self.golden[name][0])
        with self.assertRaisesRegex(pith.PithError, "takes .* bytes"):
            session.run(**{name: b"1234"})

    def test_metadata_is_read(self):
        self.assertIsNone(self.model.metadata("no such key"))

    def test_the_version_is_the_programs(self):
        said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
        self.assertIn(pith.version(), said)


unittest.main(verbosity=2)
