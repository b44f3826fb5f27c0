"""Runs .pith models from Python, over the C library alone (ctypes; no other package needed).

    import pith
    model = pith.Model("digits.pith")
    session = model.session(threads=2)
    scores = session.run(image=pixels)["scores"]        # pixels: NumPy array, array.array, bytes ... C-ordered, of the right type

Outputs are NumPy arrays when NumPy can be imported, otherwise memoryviews; both are copies that stay valid. For no copy at all, write into
session.inputs[0].data (after session.prepare()) and read session.outputs[0].data (until the next run). A session belongs to one thread at a time;
models may be shared. The library is found by PITH_LIBRARY, beside this file, or where the system looks.
"""
import ctypes
import ctypes.util
import os

try:
    import numpy
except ImportError:
    numpy = None

MAX_RANK = 8
# number: (name, struct code, bytes, NumPy name); NumPy has no bf16, struct neither: those come as 16-bit codes
_TYPES = {1: ("f32", "f", 4, "float32"), 2: ("f16", "e", 2, "float16"), 3: ("bf16", "H", 2, "uint16"), 4: ("f64", "d", 8, "float64"),
          5: ("i8", "b", 1, "int8"), 6: ("u8", "B", 1, "uint8"), 7: ("i16", "h", 2, "int16"), 8: ("u16", "H", 2, "uint16"),
          9: ("i32", "i", 4, "int32"), 10: ("u32", "I", 4, "uint32"), 11: ("i64", "q", 8, "int64"), 12: ("u64", "Q", 8, "uint64"),
          13: ("bool", "?", 1, "bool")}
BACKENDS = {"auto": 0, "reference": 1, "xnnpack": 2}


class PithError(Exception):
    """code: the pith_status number; the message says what, where, expected and found."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class _Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32), ("dims", ctypes.c_int64 * MAX_RANK),
                ("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t), ("scale", ctypes.c_float), ("zero_point", ctypes.c_int32)]


class _ModelOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("verify_hashes", ctypes.c_int)]


class _SessionOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("threads", ctypes.c_uint32), ("backend", ctypes.c_int), ("max_arena_bytes", ctypes.c_uint64)]


def _load():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libpith.so")
    path = os.environ.get("PITH_LIBRARY") or (beside if os.path.exists(beside) else ctypes.util.find_library("pith"))
    if not path:
        raise ImportError("libpith was not found: set PITH_LIBRARY to its path")
    library = ctypes.CDLL(path)
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    for name, result, arguments in (
            ("pith_version", text, []), ("pith_last_error", text, []),
            ("pith_model_open", ctypes.c_int, [text, pointer, pointer]), ("pith_model_destroy", None, [pointer]),
            ("pith_model_metadata", text, [pointer, text]),
            ("pith_session_create", ctypes.c_int, [pointer, pointer, pointer]), ("pith_session_destroy", None, [pointer]),
            ("pith_session_input_count", size, [pointer]), ("pith_session_output_count", size, [pointer]),
            ("pith_session_input", _Tensor, [pointer, size]), ("pith_session_output", _Tensor, [pointer, size]),
            ("pith_session_set_input_shape", ctypes.c_int, [pointer, size, pointer, ctypes.c_int32]),
            ("pith_session_prepare", ctypes.c_int, [pointer]), ("pith_session_run", ctypes.c_int, [pointer]),
            ("pith_session_arena_bytes", ctypes.c_uint64, [pointer])):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_lib = _load()


def version():
    return _lib.pith_version().decode()


def _check(code):
    if code != 0:
        raise PithError(code, _lib.pith_last_error().decode("utf-8", "replace"))


class Tensor:
    """One input or output as it is now. shape: None for a dimension not known yet; None as a whole while the rank is unknown."""

    def __init__(self, raw):
        self.name = raw.name.decode()
        self.dtype, self._code, self._size, self._numpy = _TYPES[raw.dtype]
        self.shape = None if raw.rank < 0 else tuple(None if d < 0 else d for d in raw.dims[:raw.rank])
        self.scale, self.zero_point = raw.scale, raw.zero_point
        self.bytes, self._address = raw.bytes, raw.data

    def __repr__(self):
        return f"<pith.Tensor {self.name} {self.dtype} {self.shape}>"

    @property
    def data(self):
        """The tensor's own memory as a writable memoryview of its shape, or None while there is none."""
        if not self._address:
            return None
        view = memoryview((ctypes.c_char * self.bytes).from_address(self._address)).cast("B")
        return view.cast(self._code, list(self.shape)) if self.bytes and self.shape else view.cast(self._code)

    def copy(self):
        if self._address is None and self.bytes == 0 and self.shape is None:
            raise PithError(2, f"output '{self.name}' has no value yet")
        raw = bytearray(ctypes.string_at(self._address, self.bytes) if self.bytes else b"")
        if numpy is not None:
            return numpy.frombuffer(raw, dtype=self._numpy).reshape(self.shape)
        view = memoryview(raw)
        return view.cast(self._code, list(self.shape)) if raw and self.shape else view.cast(self._code)

    def write(self, values):
        """Copies any C-contiguous buffer of exactly this tensor's bytes in."""
        view = memoryview(values)
        if not view.c_contiguous:
            raise PithError(2, f"input '{self.name}': the values are not C-contiguous")
        if view.nbytes != self.bytes:
            raise PithError(2, f"input '{self.name}' takes {self.bytes} bytes ({self.dtype} {list(self.shape)}), found {view.nbytes}")
        if view.itemsize not in (1, self._size):
            raise PithError(2, f"input '{self.name}' takes {self.dtype}, found elements of {view.itemsize} bytes")
        if self.bytes:
            ctypes.memmove(self._address, (ctypes.c_char * view.nbytes).from_buffer_copy(view.cast("B")), view.nbytes)


class Model:
    def __init__(self, path, verify_hashes=0):
        self._handle = ctypes.c_void_p()
        options = _ModelOptions(ctypes.sizeof(_ModelOptions), verify_hashes)
        _check(_lib.pith_model_open(os.fsencode(path), ctypes.byref(options), ctypes.byref(self._handle)))

    def __del__(self):
        handle, self._handle = getattr(self, "_handle", None), None
        if handle and _lib:
            _lib.pith_model_destroy(handle)

    def metadata(self, key):
        value = _lib.pith_model_metadata(self._handle, key.encode())
        return None if value is None else value.decode()

    def session(self, threads=1, backend="auto", max_arena_bytes=0):
        return Session(self, threads, backend, max_arena_bytes)


class Session:
    def __init__(self, model, threads=1, backend="auto", max_arena_bytes=0):
        self._handle = ctypes.c_void_p()
        self._model = model
        options = _SessionOptions(ctypes.sizeof(_SessionOptions), threads, BACKENDS[backend], max_arena_bytes)
        _check(_lib.pith_session_create(model._handle, ctypes.byref(options), ctypes.byref(self._handle)))

    def __del__(self):
        handle, self._handle = getattr(self, "_handle", None), None
        if handle and _lib:
            _lib.pith_session_destroy(handle)

    @property
    def inputs(self):
        return [Tensor(_lib.pith_session_input(self._handle, i)) for i in range(_lib.pith_session_input_count(self._handle))]

    @property
    def outputs(self):
        return [Tensor(_lib.pith_session_output(self._handle, i)) for i in range(_lib.pith_session_output_count(self._handle))]

    @property
    def arena_bytes(self):
        return _lib.pith_session_arena_bytes(self._handle)

    def set_input_shape(self, index, shape):
        _check(_lib.pith_session_set_input_shape(self._handle, index, (ctypes.c_int64 * len(shape))(*shape), len(shape)))

    def prepare(self):
        _check(_lib.pith_session_prepare(self._handle))

    def run(self, *values, **named):
        """Runs on inputs given in order or by name; without any, on what was written to session.inputs[i].data. {name: output}."""
        if values or named:
            self._feed(values, named)
        _check(_lib.pith_session_run(self._handle))
        return {t.name: t.copy() for t in self.outputs}

    def _feed(self, values, named):
        names = [t.name for t in self.inputs]
        given = dict(zip(names, values))
        if len(values) > len(names) or set(named) - set(names) or set(given) & set(named):
            raise PithError(2, f"inputs are {names}; found {len(values)} in order and {sorted(named)} by name")
        given.update(named)
        if missing := [n for n in names if n not in given]:
            raise PithError(2, f"inputs are missing: {missing}")
        for i, name in enumerate(names):  # buffers that know their shape decide open dims; flat ones (bytes) cannot
            view = memoryview(given[name])
            if view.ndim > 1 or (self.inputs[i].shape is not None and len(self.inputs[i].shape) == view.ndim):
                self.set_input_shape(i, view.shape)
        self.prepare()
        for tensor in self.inputs:
            tensor.write(given[tensor.name])
