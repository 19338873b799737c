"""The chapter on the duty of care: gaps discussed and refused come from the register, where there is one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from akb.report.write import report_files

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


def part(page: str) -> str:
    found = re.search(r"dekking die de meeste vergelijkbare klanten hebben</h3>(.*?)</table>", page, re.DOTALL)
    assert found is not None
    return re.sub(r"<[^>]+>|\s+", " ", found[1])


def test_the_register_is_told_with_what_is_hidden(page: str) -> None:
    text = " ".join(part(page).split())
    assert "met 48 van hen is besproken; 17 wilden haar niet" in text
    assert "Besproken" in text and "Geweigerd" in text
    assert "staat in geen export" not in text


def test_without_a_register_the_page_says_where_to_record(full: RunBundle) -> None:
    assert full.value is not None
    duty = replace(full.value.figures.duty, register=None)
    value = replace(full.value, figures=replace(full.value.figures, duty=duty))
    text = " ".join(part(report_files(replace(full, value=value))[0]["report.html"].decode()).split())
    assert "staat in geen export" in text and "akb feedback import" in text
    assert "Geweigerd" not in text
