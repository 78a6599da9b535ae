"""Frames in and out: one thread reads, one works, and nothing but frames leaves by stdout."""
import json
import os
import queue
import sys
import threading
import traceback

MAX_FRAME_BYTES = 64 * 1024 * 1024


class Fatal(Exception):
    """The settings are wrong: starting again would not help."""

    def __init__(self, code, message, hint):
        Exception.__init__(self, message)
        self.code, self.message, self.hint = code, message, hint

    def frame(self):
        return {"code": self.code, "message": self.message, "hint": self.hint}


class RequestError(Exception):
    """This request fails and the next one may not. code: out-of-memory, bad-request or failed."""

    def __init__(self, code, message):
        Exception.__init__(self, message)
        self.code, self.message = code, message


class DeviceLost(RequestError):
    """CUDA answers no more in this process: the request is answered, then the process ends."""

    def __init__(self, message):
        RequestError.__init__(self, "failed", message)


def take_stdout():
    """A descriptor of stdout for the frames alone; what anything else prints goes to stderr from here on."""
    taken = os.dup(1)
    os.dup2(2, 1)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # who reads the log reads it while we live
    return taken


class Output(object):
    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.lock = threading.Lock()

    def send(self, frame):
        try:
            line = encode(frame)
        except ValueError:
            line = encode(error_frame(frame.get("id"), "failed", "the answer has a number that is not finite"))
        if len(line) > MAX_FRAME_BYTES:
            line = encode(error_frame(frame.get("id"), "bad-request", "the answer is over 64 MiB: ask for less"))
        try:
            with self.lock:
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(self.descriptor, rest) :]
        except BrokenPipeError:
            os._exit(0)  # nobody listens any more

    def leave(self, status):
        """Ends the process now, but not in the middle of a frame: CUDA's own way out takes seconds."""
        self.lock.acquire(timeout=1)
        sys.stderr.flush()
        os._exit(status)


def encode(frame):
    return json.dumps(frame, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def error_frame(identity, code, message):
    return {"id": identity, "error": {"code": code, "message": message}}


def lines(stream, max_bytes=MAX_FRAME_BYTES):
    """The lines without their ends; None for one over max_bytes, of which nothing is kept. A torn last line is none."""
    while True:
        line = stream.readline(max_bytes + 1)
        if line.endswith(b"\n"):
            yield line[:-1]
        elif len(line) <= max_bytes:
            return
        else:
            while line and not line.endswith(b"\n"):
                line = stream.readline(1 << 20)
            yield None


def parse(line):
    """The request of a line. Raises RequestError."""
    if line is None:
        raise RequestError("bad-request", "the line is over 64 MiB")
    try:
        request = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise RequestError("bad-request", "the line is no JSON in UTF-8")
    if not isinstance(request, dict) or type(request.get("id")) is not int or not isinstance(request.get("op"), str):
        raise RequestError("bad-request", "the line is no object with a whole number as id and a word as op")
    return request


def answer(operations, request):
    """The frame that answers a request, whatever happens. DeviceLost passes."""
    try:
        operation = operations.get(request["op"])
        if operation is None:
            raise RequestError("bad-request", "op is one of " + ", ".join(sorted(operations)))
        return dict(operation(request), id=request["id"])
    except DeviceLost:
        raise
    except RequestError as error:
        return error_frame(request["id"], error.code, error.message)
    except Exception as error:
        traceback.print_exc()
        return error_frame(request["id"], "failed", "{}: {}".format(type(error).__name__, str(error)[:500]))


def serve(output, start):
    """
    Works until stdin ends. `start()` loads and returns (first frame, operations, quick operations); requests that
    come meanwhile wait, and an end of stdin ends that too.
    """
    waiting = queue.Queue()
    quick = {}  # filled when the first frame is out: nothing may be answered before it

    def read():
        try:
            take()
            output.leave(0)
        except BaseException:  # a process that no longer reads would look alive
            traceback.print_exc()
            output.leave(70)

    def take():
        for line in lines(open(0, "rb", buffering=1 << 20, closefd=False)):
            try:
                request = parse(line)
            except RequestError as error:
                waiting.put(error)  # in its turn: the first frame comes first
                continue
            if request["op"] in quick:
                output.send(answer(quick, request))
            else:
                waiting.put(request)

    threading.Thread(target=read, daemon=True).start()
    try:
        first, operations, at_once = start()
        output.send(first)
        quick.update(at_once)
        operations.update(at_once)
        while True:
            request = waiting.get()
            if isinstance(request, RequestError):
                output.send(error_frame(None, request.code, request.message))
                continue
            try:
                output.send(answer(operations, request))
            except DeviceLost as error:
                output.send(error_frame(request["id"], error.code, error.message))
                output.leave(70)
    except Fatal:
        raise
    except BaseException:
        traceback.print_exc()
        output.leave(70)
