import pickle

import pytest

from spinert import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SpinertError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_reaches_the_caller_from_another_process(kind: type[errors.SpinertError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("the film is round", "cut it square")))
    assert type(copy) is kind
    assert (copy.problem, copy.remedy) == ("the film is round", "cut it square")


def test_every_kind_has_an_exit_code_of_its_own() -> None:
    assert len({kind.exit_code for kind in KINDS}) == len(KINDS)
    assert 0 not in {kind.exit_code for kind in KINDS}
