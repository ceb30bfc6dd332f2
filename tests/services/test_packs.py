"""Packs: what an administrator uploads is read as data, checked whole, and published once."""

import re
import zipfile
import zlib
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from approval.domain.errors import PackRefused
from approval.models.items import ItemVersion
from approval.paths import WORKFLOWS
from approval.services import items, packs, rehearsals
from approval.settings import Settings
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, ITEM, REVIEW

SETTINGS = Settings()
FILES = packs.from_folder(WORKFLOWS / ITEM)


def zipped(files, kind=zipfile.ZIP_DEFLATED):
    written = BytesIO()
    with zipfile.ZipFile(written, "w", kind) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return written.getvalue()


WHOLE = zipped(FILES)


def refused(act, *given):
    with pytest.raises(PackRefused) as refusal:
        act(*given)
    return [fault for fault in refusal.value.facts["faults"] if fault.level == "error"]


def faults_of(**changes):
    files = dict(FILES)
    for path, (old, new) in changes.items():
        assert old.encode() in files[path], f"{path} no longer says {old!r}"
        files[path] = files[path].replace(old.encode(), new.encode(), 1)
    return {(fault.file, fault.element): fault.why for fault in refused(packs.check, files, SETTINGS)}


def test_a_whole_zip_brings_the_files_as_they_are():
    assert packs.from_zip(WHOLE, SETTINGS) == FILES


CUT = [b"", b"PK", b"not a zip", WHOLE[:1000], WHOLE[:-1], WHOLE[100:], WHOLE[: len(WHOLE) // 2]]


@pytest.mark.parametrize("content", CUT)
def test_a_truncated_zip_is_one_clear_fault(content):
    (fault,) = refused(packs.from_zip, content, SETTINGS)
    assert "not a whole zip" in fault.why


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_no_flipped_byte_crashes_the_reader(place, byte):
    spoilt = bytearray(WHOLE)
    spoilt[place] = byte
    with suppress(PackRefused):
        assert len(packs.from_zip(bytes(spoilt), SETTINGS)) == len(FILES)


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../evil", "a/.."])
def test_a_path_outside_the_pack_is_refused(path):
    (fault,) = refused(packs.from_zip, zipped({"item.toml": b"", path: b"x"}), SETTINGS)
    assert "outside" in fault.why


def test_a_name_twice_is_refused_because_nobody_knows_which_counts():
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("item.toml", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("item.toml", b"two")
    (fault,) = refused(packs.from_zip, written.getvalue(), SETTINGS)
    assert "twice" in fault.why


def test_too_many_files_and_too_many_bytes_are_refused_before_they_are_read():
    few = replace(SETTINGS, pack_files=2, pack_bytes=10)
    assert packs.from_zip(zipped({"a": b"12345", "b": b"12345"}), few)
    for files in ({"a": b"", "b": b"", "c": b""}, {"a": b"12345678901"}):
        (fault,) = refused(packs.from_zip, zipped(files), few)
        assert "more than" in fault.why
    bomb = zipped({"a": bytes(20 * SETTINGS.pack_bytes)})
    assert len(bomb) < SETTINGS.pack_bytes
    assert refused(packs.from_zip, bomb, SETTINGS)


def test_a_zip_that_lies_about_its_sizes_is_refused():
    bomb = zipped({"a": bytes(20 * SETTINGS.pack_bytes)})
    size = (20 * SETTINGS.pack_bytes).to_bytes(4, "little")
    assert bomb.count(size) == 2
    assert refused(packs.from_zip, bomb.replace(size, (100).to_bytes(4, "little")), SETTINGS)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_without_measure_is_not_unpacked(kind):
    (fault,) = refused(packs.from_zip, zipped({"a": bytes(10**6)}, kind), SETTINGS)
    assert "must be stored or deflated" in fault.why


def test_a_file_that_is_longer_than_it_claims_is_refused_though_its_sum_is_right():
    long, short = zipped({"a": b"12345"}), zipped({"a": b"123"})
    (sum_of_long, sum_of_short) = (zlib.crc32(text).to_bytes(4, "little") for text in (b"12345", b"123"))
    claims = long.replace(sum_of_long, sum_of_short).replace((5).to_bytes(4, "little"), (3).to_bytes(4, "little"))
    assert claims != long
    assert packs.from_zip(short, SETTINGS) == {"a": b"123"}
    assert refused(packs.from_zip, claims, SETTINGS)


def test_an_encrypted_zip_is_refused():
    locked = bytearray(zipped({"item.toml": b"x"}))
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(signature) + flags] |= 1
    assert refused(packs.from_zip, bytes(locked), SETTINGS)


def test_a_folder_without_a_manifest_is_no_pack(tmp_path):
    (fault,) = refused(packs.from_folder, tmp_path)
    assert fault.file == "item.toml"


def laid_out(folder):
    for path, content in FILES.items():
        place = folder.parent / path if path.startswith("_shared/") else folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


def test_a_folder_is_the_same_pack_however_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(laid_out(tmp_path / "bed"))
    assert packs.from_folder(Path()) == FILES


def test_a_link_in_a_folder_is_not_followed(tmp_path):
    folder = laid_out(tmp_path / "bed")
    (folder / "forms" / "x.json").symlink_to("/etc/passwd")
    (folder / "more").symlink_to(tmp_path)
    assert {(fault.file, "link" in fault.why) for fault in refused(packs.from_folder, folder)} == {
        ("forms/x.json", True),
        ("more", True),
    }


@pytest.mark.parametrize("limit", [{"pack_files": 3}, {"pack_bytes": 1000}])
def test_a_folder_is_held_to_the_limits_of_a_zip(tmp_path, limit):
    (fault,) = refused(packs.from_folder, laid_out(tmp_path / "bed"), replace(SETTINGS, **limit))
    assert "more than" in fault.why


def test_a_file_may_not_stand_in_the_pack_and_among_the_shared_ones(tmp_path):
    folder = laid_out(tmp_path / "bed")
    (folder / "_shared").mkdir()
    (folder / "_shared" / "accept.bpmn").write_bytes(b"another")
    assert [fault.file for fault in refused(packs.from_folder, folder)] == ["_shared"]


def test_a_whole_pack_passes():
    assert packs.check(FILES, SETTINGS).digest == packs.digest(FILES)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"parse_bytes": 9_000}, "larger than 9000 bytes"),
        ({"parse_depth": 3}, "nested deeper than 3"),
        ({"parse_elements": 50}, "more than 50 elements"),
        ({"parse_nodes": 5}, "more than 5 elements"),
    ],
)
def test_what_is_too_large_or_too_deep_for_this_office_is_refused(limit, told):
    assert any(told in fault.why for fault in refused(packs.check, FILES, replace(SETTINGS, **limit)))


def test_an_office_may_take_larger_files_and_reads_them_again_later():
    large = FILES["process.bpmn"] + b"<!--" + b" " * 3 * 2**20 + b"-->"
    whole = packs.check({**FILES, "process.bpmn": large}, replace(SETTINGS, parse_bytes=4 * 2**20))
    assert packs.read(whole.files).definition.process == whole.definition.process


def test_whatever_one_part_names_and_another_lacks_is_told_at_once():
    faults = faults_of(
        **{
            "item.toml": ('"消防岗" = { department = "XFJ", role = "examiner" }\n', ""),
            "_shared/deliver.bpmn": ('type="draw_rendition"', 'type="draw_and_fly"'),
            "_shared/accept.bpmn": ('countdown("correction")', 'countdown("eternity")'),
            "forms/fire-opinion.json": ('"id": "fire-opinion"', '"id": "water-opinion"'),
        }
    )
    assert faults == {
        ("item.toml", "消防岗"): "lane '消防岗' is named but stands nowhere",
        ("item.toml", "draw_and_fly"): "errand 'draw_and_fly' is named but stands nowhere",
        ("item.toml", "eternity"): "limit 'eternity' is named but stands nowhere",
        ("item.toml", "fire-opinion"): "form 'fire-opinion' is named but stands nowhere",
    }


@pytest.mark.parametrize(
    ("path", "change", "element"),
    [
        ("item.toml", ('tasks = ["fire_opinion", "settle_objection"]', 'tasks = ["sign_of"]'), "sign_of"),
        ("item.toml", ('item_number = "XK00101000"', 'item_number = "xk-1"'), "item_number"),
        ("item.toml", ('item_number_pattern = "^', 'item_number_pattern = "(['), "item_number"),
        ("item.toml", ('item_number_pattern = "^', 'item_number_pattern = "(\\\\d+)+X'), "item_number"),
        ("item.toml", ('case_kind = "promised"', 'case_kind = "quick"'), "quick"),
        ("item.toml", ("[limits.acceptance]", '[exclusions]\nlunch = "x"\n\n[limits.acceptance]'), "lunch"),
        ("item.toml", ('template = "licence.html"', 'template = "none.html"'), "licence.template"),
        ("item.toml", ('seats = "if answers', 'seats = "iff ((answers'), "facts.seats"),
        ("item.toml", ('when = "answers.staff > 0"', 'when = "today() > 0"'), "materials.health_certificates.when"),
        ("item.toml", ('operator = "applicant.name"', 'operator = "applicant.."'), "licence.fields.operator"),
        ("item.toml", ("{serial:06d}", "{serial:06d"), "licence"),
        ("item.toml", ('type = "11100000000013338W032"', 'type = "11100000000013338W03"'), "licence"),
        ("item.toml", ('review_body = "泉州市人民政府"', ""), "review_body"),
        ("licence.html", ("</h1>", "{% if %}</h1>"), ""),
        ("licence.html", ("licence.fields.residence ~", "licence.fields.residense ~"), ""),
        ("licence.html", ("{% if sample %}", "{% if sample %}{% else %}{{ licence.colour }}{% endif %}{% if 1 %}"), ""),
        ("item.toml", ('hours = "', 'ours = "'), "hours"),
        ("item.toml", ('supervision_phone = "0595-00000002"', 'supervision_phone = " "'), "supervision_phone"),
        ("item.toml", ('residence = "answers.res', 'residence = "answers.rez'), "licence.fields.residence"),
        ("item.toml", ('open_flame = "answers.open', 'open_flame = "answers.opened'), "facts.open_flame"),
        ("item.toml", ('when = "answers.staff', 'when = "answers.staf'), "materials.health_certificates.when"),
        ("process.bpmn", ("<bpmn:flowNodeRef>document_review</bpmn:flowNodeRef>", ""), "document_review"),
        ("forms/filing.json", ('"=not(business_form', '"=not(((business_form'), "dining_area"),
    ],
)  # fmt: skip
def test_what_could_only_fail_later_is_told_now(path, change, element):
    assert element in {where for _, where in faults_of(**{path: change})}


def test_a_form_that_takes_the_place_of_none_is_told():
    change = '"supersedes": "document-review"', '"supersedes": "document"'
    assert ("reexamination", "result") in faults_of(**{"forms/reexamination.json": change})


@pytest.mark.parametrize("name", [b"news", b"parties_heard"])
def test_an_event_that_nobody_tells_is_refused(name):
    timer = re.compile(rb"<bpmn:timerEventDefinition.*?</bpmn:timerEventDefinition>", re.DOTALL)
    told, found = timer.subn(b'<bpmn:messageEventDefinition messageRef="m" />', FILES["_shared/accept.bpmn"], count=1)
    # Not even what the office does send: it tells whoever waits, and begins nothing.
    told = told.replace(b"<bpmn:process ", b'<bpmn:message id="m" name="%s" /><bpmn:process ' % name, 1)
    assert found
    faults = refused(packs.check, {**FILES, "_shared/accept.bpmn": told}, SETTINGS)
    assert {(fault.file, "nobody here sends a message" in fault.why) for fault in faults} == {
        ("_shared/accept.bpmn", True)
    }


def test_a_procedure_that_issues_needs_a_licence_to_issue():
    start, end = FILES["item.toml"].index(b"[licence]"), FILES["item.toml"].index(b"[service]")
    without = FILES["item.toml"][:start] + FILES["item.toml"][end:]
    faults = refused(packs.check, {**FILES, "item.toml": without}, SETTINGS)
    assert {fault.element for fault in faults} == {"issue_licence", "draw_rendition"}


def test_two_forms_of_one_id_are_refused():
    twin = {**FILES, "forms/zz.json": FILES["forms/filing.json"]}
    assert [(fault.file, fault.element) for fault in refused(packs.read, twin)] == [("forms/zz.json", "filing")]


def test_a_template_that_is_no_text_is_told_now():
    (fault,) = refused(packs.check, {**FILES, "licence.html": b"\xff\xfe<p>"}, SETTINGS)
    assert fault.file == "licence.html"


def test_faults_of_all_parts_are_told_together():
    files = {**FILES, "item.toml": b"code = 7", "forms/filing.json": b"{"}
    named = {fault.file for fault in refused(packs.read, files)}
    assert named == {"item.toml", "forms/filing.json"}
    assert {fault.file for fault in refused(packs.read, {})} >= {"item.toml", "process.bpmn"}


def test_faults_of_the_procedure_the_forms_and_the_wiring_are_told_together():
    faults = faults_of(
        **{
            "process.bpmn": ("<bpmn:serviceTask", '<bpmn:scriptTask id="evil" /><bpmn:serviceTask'),
            "forms/filing.json": ('"id": "filing"', '"id": 7'),
            "item.toml": ('court = "', 'kort = "'),
        }
    )
    assert {file for file, _ in faults} == {"process.bpmn", "forms/filing.json", "item.toml"}
    assert faults["item.toml", "court"]


ROOT, TASK = '<bpmn:process id="food_business_licence"', "<bpmn:serviceTask"
ENTITY = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
SCRIPT = '<bpmn:scriptTask id="evil"><bpmn:script>import os</bpmn:script></bpmn:scriptTask>'


@pytest.mark.parametrize("change", [(ROOT, ENTITY + ROOT), (TASK, SCRIPT + TASK)], ids=["xxe", "script"])
def test_a_procedure_that_reaches_outside_is_refused_with_file_and_line(change):
    source = FILES["process.bpmn"].replace(change[0].encode(), change[1].encode(), 1)
    faults = refused(packs.check, {**FILES, "process.bpmn": source}, SETTINGS)
    assert all(fault.file == "process.bpmn" and fault.line > 0 for fault in faults)


def test_the_same_bytes_are_the_same_version(office, pack):
    with office.work() as work:
        before = items.find(work, ITEM).id
        assert packs.deploy(work, pack).id == before
        assert packs.deploy(work, packs.read(dict(reversed(FILES.items())))).id == before
        assert len(work.session.scalars(select(ItemVersion)).all()) == 1


def changed(old, new):
    toml = FILES["item.toml"].replace(old.encode(), new.encode(), 1)
    assert toml != FILES["item.toml"]
    return packs.read({**FILES, "item.toml": toml})


def test_a_running_case_stays_with_its_version(office, pack):
    number = walks.walk(office, walks.file(office), ACCEPT)
    stricter = changed('code = "safety_rules"', 'code = "stricter_rules"')
    with office.work() as work:
        assert packs.deploy(work, stricter).ordinal == 2
    with office.work(read_only=True) as work:
        assert walks.case(work, number).item_version.ordinal == 1
        assert items.pack(work, walks.case(work, number).item_version).digest == pack.digest
        assert items.find(work, ITEM).ordinal == 2
    walks.walk(office, number, REVIEW, ADVISE)
    with pytest.raises(rehearsals.Refusal):
        walks.file(office)


def test_an_older_version_can_be_put_in_force_again(office, pack):
    with office.work() as work:
        packs.deploy(work, changed("validity_years = 5", "validity_years = 3"))
        assert packs.deploy(work, pack).ordinal == 1
        assert items.find(work, ITEM).ordinal == 1


def test_an_unknown_department_is_refused_by_name(office):
    before = walks.everything(office)
    stranger = changed('joint = ["SPJ", "XFJ"]', 'joint = ["SPJ", "NASA"]')
    with pytest.raises(PackRefused) as refusal, office.work() as work:
        packs.deploy(work, stranger)
    (fault,) = refusal.value.facts["faults"]
    assert "'NASA'" in fault.why
    assert walks.everything(office) == before
