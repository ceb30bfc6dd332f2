"""Registering licence types (登记证照类型): what an administrator writes into the catalogue, checked first."""

from approval import documents
from approval.domain.errors import AnswersInvalid, Missing
from approval.domain.licence_types import TypeDefinition
from approval.models.licences import LicenceTypeVersion
from approval.models.people import Department
from approval.office import Work
from approval.services import access, items, types
from certificates import CertificateError

LARGEST_TEMPLATE = 200_000


def survey(work: Work, definition: TypeDefinition, template: str) -> list[Missing]:
    """Find what is wrong with a type (核对证照类型), everything at once, short of drawing it.

    The open items that issue it must fill in all its fields: otherwise their next case could not end.
    """
    faults = list(definition.faults())
    try:
        types.kind(definition)
    except CertificateError as refused:
        where = "number" if refused.code == "number-pattern-invalid" else "code"
        faults.append(Missing(f"answers.{where}", "wrong-type"))
    if work.session.get(Department, definition.department) is None:
        faults.append(Missing("answers.department", "required"))
    names = {field.name for field in definition.fields}
    for entry in items.catalogue(work):
        rule = entry.manifest.licence
        if rule is not None and rule.type == definition.code and (blank := names - rule.fields.keys()):
            told = f"{entry.version.name_zh}：{', '.join(sorted(blank))}"
            faults.append(Missing("answers.fields", "not-filled-in", told))
    if not template.strip() or len(template) > LARGEST_TEMPLATE:
        faults.append(Missing("answers.template", "required"))
    return faults


def trial(definition: TypeDefinition, template: str) -> list[Missing]:
    """Draw a type once with samples (试制证照); it takes a moment, so no Work should be open meanwhile."""
    if fault := documents.fault(template):
        return [Missing("answers.template", "template", f"{fault.line}: {fault.message}")]
    why = types.trial(template, [field.name for field in definition.fields])
    return [Missing("answers.template", "template", why)] if why else []


def publish(work: Work, definition: TypeDefinition, template: str, *, tried: list[Missing]) -> LicenceTypeVersion:
    """Publish a type as its next version (发布证照类型), once `trial` has drawn it; the same is the same version.

    Raises `NotSignedIn`, `NotAllowed` for whoever is no administrator, `AnswersInvalid` with everything that is wrong.
    """
    access.require_administrator(work)
    if faults := [*survey(work, definition, template), *tried]:
        raise AnswersInvalid(missing=faults)
    return types.keep(work, definition, template, "")
