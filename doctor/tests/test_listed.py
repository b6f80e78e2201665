"""What is listed as not seen, or as not on torch 1, are cases of these tests."""


def test_each_listed_case_is_there(stale: list[str]) -> None:
    assert not stale, f"not_seen.txt or not_on_torch_1.txt names what is no case: {stale}"
