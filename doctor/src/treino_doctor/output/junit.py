"""Findings as a JUnit report for continuous integration servers: one test case for each rule."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from treino_doctor.base.words import _
from treino_doctor.finding import Finding
from treino_doctor.output.coverage import BROKEN, Coverage
from treino_doctor.output.report import defects, one, place
from treino_doctor.process.run_script import Outcome
from treino_doctor.rules import rules

TOOL = "treino-doctor"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


def junit(outcome: Outcome, findings: list[Finding], covered: Coverage) -> bytes:
    """The report: each finding is a failure; rules that had nothing to judge are skipped, with the reason."""
    errors = {defect.partition(": ")[0]: defect for defect in outcome.exam.defects}
    lacking = {rule: _(why) for why, names in covered.unjudged for rule in names}
    every = Element("testsuites", name=TOOL)
    suite = SubElement(every, "testsuite", name=_clean(outcome.subject), time=f"{outcome.seconds:.3f}")

    def case(name: str) -> Element:
        return SubElement(suite, "testcase", classname=_clean(outcome.subject), name=_clean(name))

    for rule in rules():
        mine = [finding for finding in findings if finding.rule == rule]
        for finding in mine:
            kind = _("certain") if finding.certain else _("likely")
            message = _clean(finding.message)
            own = case(f"{rule} {place(finding.file, finding.line)}")
            failure = SubElement(own, "failure", type=kind, message=message)
            failure.text = _clean(one(finding))
        if rule in errors:
            SubElement(case(rule), "error", type=_(BROKEN), message=_clean(errors[rule]))
        elif not mine and (rule in lacking or not outcome.trained):
            why = lacking.get(rule, _("nothing was trained"))
            SubElement(case(rule), "skipped", message=_clean(why))
        elif not mine:
            case(rule)
    if outcome.error:
        SubElement(case(_("the script's end")), "error", message=outcome.error, type=outcome.error)
    if errors:
        SubElement(suite, "system-err").text = _clean("\n".join(defects(outcome.exam)))
    tags = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for element in (every, suite):
        for what, tag in tags.items():
            element.set(what, str(len(list(suite.iter(tag)))))
    indent(every)
    return bytes(tostring(every, encoding="utf-8", xml_declaration=True)) + b"\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
