"""The measures of the source count what they say."""

from __future__ import annotations

from benchmarks.structure import ROOT, measure_source


def test_the_measures_of_a_small_package_are_those_counted_by_hand(tmp_path) -> None:
    package = tmp_path / "box"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "a.py").write_text("from box.inner import b\n\nSTEPS = 40  # why\nHALF = 0.5\n")
    (package / "inner" / "b.py").write_text("from box.inner import a\n\n\ndef f(x, y, *, z):\n    return x\n")
    (package / "c.py").write_text("def g():\n    from box import d\n")
    (package / "d.py").write_text("from box import c\n")
    facts = measure_source(package)
    assert facts["all", "files"] == 6
    assert facts["all", "circles of imports"] == 1
    assert facts["all", "circles with imports inside functions"] == 2
    assert facts["inner", "circles of imports"] == 1
    assert facts["inner", "most positional arguments"] == 2
    assert facts["inner", "numeric constants outside parameter objects"] == 1
    assert facts["inner", "comments per 100 lines"] == round(100 / 9, 2)


def test_modules_of_the_library_import_one_another_in_no_circle_when_they_are_loaded() -> None:
    assert measure_source(ROOT / "gtm_opt")["all", "circles of imports"] == 0
