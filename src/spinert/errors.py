"""What can go wrong, one class and one exit code each.

Every error names the thing, the values that clash and the remedy; none carries a patient name or ID.
"""


class SpinertError(Exception):
    """Base of every error meant for the user. `problem` says what is wrong, `remedy` what to do about it."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  remedy: {remedy}")
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["SpinertError"], tuple[str, str]]:
        """Copied by its two parts, so that it reaches the caller from a pool of processes."""
        return type(self), (self.problem, self.remedy)


class BadRequest(SpinertError):
    """Arguments that cannot be carried out as given."""

    exit_code = 2


class BadStudy(SpinertError):
    """Input that is no readable radiograph: truncated, not an image, empty, too large, of the wrong kind or view."""

    exit_code = 3


class BadGeometry(BadStudy):
    """Spacing or orientation that is missing where it is needed, impossible, or contradicts itself."""

    exit_code = 4


class BadBundle(SpinertError):
    """A bundle that is incomplete, changed, newer than this spinert, or unsafe."""

    exit_code = 5


class NoBackend(SpinertError):
    """Nothing installed here can run the network as asked; the problem lists each backend and its reason."""

    exit_code = 6


class NoEngine(NoBackend):
    """A backend could run the network, but no engine was built here that fits it; the remedy is the command."""

    exit_code = 12


class BadNetwork(SpinertError):
    """A network whose tensors do not fit its bundle, or that produced values that are not finite."""

    exit_code = 7


class ExportFailed(SpinertError):
    """A recipe, checkpoint or program that could not be exported, or whose ONNX file disagrees with torch."""

    exit_code = 8


class DeviceError(SpinertError):
    """A CUDA device that is not there, has no memory left, or failed while working; the problem names the work."""

    exit_code = 9


class CalibrationFailed(SpinertError):
    """A precision that was not written: too few studies, outside its gate or not faster; it says by how much."""

    exit_code = 10


class BuildFailed(SpinertError):
    """An engine that could not be built or stored; nothing half-written is left."""

    exit_code = 11
