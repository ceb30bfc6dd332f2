"""Words (文字): what codes are called on a page, in one place; lazy, so that each visitor reads their language.

The Chinese text is the message id; `translations/` holds the English.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from approval.domain.cases import Status
from approval.domain.countdown import EntryType
from approval.domain.manifests import CaseKind
from approval.domain.notices import Way
from approval.domain.workdays import Kind
from approval.services.sharing import Ground
from approval.services.surveys import Part, Progress
from approval.web.refusals import REFUSALS
from certificates import Act, State

STATUSES: Mapping[str, LazyString] = {
    Status.FILED: _("待受理"),
    Status.CORRECTING: _("等待补正"),
    Status.ACCEPTED: _("已受理，审查中"),
    Status.GRANTED: _("准予许可"),
    Status.REFUSED: _("不予许可"),
    Status.CONCLUDED: _("已办结"),
    Status.DECLINED: _("不予受理"),
    Status.WITHDRAWN: _("已撤回"),
    Status.TERMINATED: _("已终止"),
}

COUNTDOWNS: Mapping[str, LazyString] = {
    "acceptance": _("受理期限"),
    "decision": _("决定期限"),
    "delivery": _("送达期限"),
    "promised": _("承诺期限"),
    "correction": _("补正期限"),
    "rectification": _("整改期限"),
    "fire_opinion": _("消防意见期限"),
    "opinion": _("出具意见期限"),
    "finding": _("踏勘认定期限"),
    "tier_review": _("下级审查期限"),
    "special": _("特别程序期限"),
    "public_notice": _("公示期限"),
    "hearing_request": _("要求听证期限"),
    "hearing": _("组织听证期限"),
    "statement": _("利害关系人陈述意见期限"),
    "deferral": _("容缺补齐期限"),
    "commitment_check": _("承诺核查期限"),
}

CASE_KINDS: Mapping[str, LazyString] = {
    CaseKind.INSTANT: _("即办件"),
    CaseKind.PROMISED: _("承诺件"),
    CaseKind.JOINT: _("联办件"),
    CaseKind.FORWARDED: _("上报件"),
}

ROLES: Mapping[str, LazyString] = {
    "applicant": _("申请人"),
    "window": _("综合窗口"),
    "examiner": _("审查岗"),
    "inspector": _("核查岗"),
    "reviewer": _("复核岗"),
    "signer": _("签批岗"),
    "presider": _("听证主持人"),
    "administrator": _("管理员"),
}

APPLICANTS: Mapping[str, LazyString] = {
    "person": _("个人"),
    "organization": _("企业和其他组织"),
}

LICENCE_STATES: Mapping[State, LazyString] = {
    State.INTENDED: _("拟发"),
    State.VALID: _("有效"),
    State.SUPERSEDED: _("已换发"),
    State.EXPIRED: _("已过期"),
    State.SUSPENDED: _("已暂扣"),
    State.REVOKED: _("已吊销"),
    State.RESCINDED: _("已撤销"),
    State.CANCELLED: _("已注销"),
}

LICENCE_ACTS: Mapping[Act, LazyString] = {
    Act.INTEND: _("拟发"),
    Act.SEAL: _("签章"),
    Act.CHANGE: _("变更"),
    Act.RENEW: _("延续"),
    Act.REISSUE: _("补领"),
    Act.EXPIRE: _("到期"),
    Act.SUSPEND: _("暂扣"),
    Act.RESUME: _("发还"),
    Act.REVOKE: _("吊销"),
    Act.RESCIND: _("撤销"),
    Act.CANCEL: _("注销"),
}

FIELD_KINDS: Mapping[str, LazyString] = {"text": _("文字"), "number": _("数字"), "date": _("日期")}
GROUNDS: Mapping[Ground, LazyString] = {
    Ground.CASE: _("您提交的申请"),
    Ground.FILING: _("随您的申请调取"),
    Ground.CODE: _("您出具的授权码"),
}

SOURCES: Mapping[str, LazyString] = {
    "申请人自备": _("申请人自备"),
    "政府部门核发": _("政府部门核发"),
}

NOTICES: Mapping[str, LazyString] = {
    "receipt": _("已收到您的申请材料。"),
    "correction": _("材料需要补正，全部问题已经一次告知。"),
    "accepted": _("您的申请已经受理。"),
    "suspended": _("需要特别程序，所需时间不计入期限。"),
    "resumed": _("特别程序已经结束，恢复计算期限。"),
    "extended": _("决定期限依法延长。"),
    "deemed-renewed": _("没有在证照届满以前作出决定，视为准予延续。"),
    "declined": _("您的申请不予受理。"),
    "granted": _("准予许可。"),
    "refused": _("不予许可。"),
    "withdrawn": _("您的申请已经撤回。"),
    "terminated": _("没有在期限内收到需要您提供的内容，办理已经终止。"),
    "delivered": _("办理结果已经送达，可以在本页领取。"),
    "stopped": _("办件已经终止办理。"),
    "licence-suspended": _("您的证照已经被暂扣。"),
    "licence-given-back": _("您的证照已经发还，恢复有效。"),
    "licence-revoked": _("您的证照已经被吊销。"),
    "licence-rescinded": _("您的证照已经被撤销。"),
    "licence-cancelled": _("您的证照已经注销。"),
    "licence-reissued": _("您的证照已经换发，编号不变，请下载新的文件。"),
    "licence-expired": _("您的证照有效期已经届满。"),
    "formal": _("您有一份新的文书，请打开查看。"),
    "deferral": _("已经容缺受理，请按期补齐您承诺补交的材料。"),
    "commitment": _("您选择了告知承诺，承诺书已经制作。"),
    "forwarded": _("审查已经完成，已报上级机关决定。"),
    "hearing-called-off": _("原定的听证取消，需要重新办理。"),
    "commitment-broken": _("核查认定您的承诺不实。"),
}

WAYS: Mapping[Way, LazyString] = {
    Way.PORTAL: _("网上送达"),
    Way.EMAIL: _("电子邮件"),
    Way.SMS: _("短信"),
    Way.POST: _("邮寄送达"),
    Way.HAND: _("当面送达"),
    Way.ANNOUNCEMENT: _("公告送达"),
}

# What a notice says of this case: fact by fact, in this order.
NOTICE_FACTS: Mapping[str, LazyString] = {
    "licence": _("证照编号"),
    "acceptance_due": _("受理期限"),
    "tier_review_due": _("下级审查期限"),
    "decision_due": _("决定期限"),
    "promised_due": _("承诺期限"),
    "notice": _("文号"),
    "cause": _("事由"),
    "since": _("自何日起"),
    "days": _("工作日数"),
    "reason": _("理由"),
    "authority": _("应当向其申请"),
    "basis": _("依据"),
    "article": _("依据"),
    "review_body": _("可以向其申请行政复议"),
    "court": _("可以向其提起行政诉讼"),
    "sheet": _("时限计算书校验值（SHA-256）"),
}

JOURNAL: Mapping[str, LazyString] = {
    "case:filed": _("提交申请"),
    "case:correction-asked": _("一次性告知补正"),
    "case:correction-allowed": _("同意再次补正"),
    "case:corrected": _("补正材料"),
    "case:accepted": _("受理"),
    "case:deemed-accepted": _("逾期没有告知，视为受理"),
    "case:declined": _("不予受理"),
    "case:suspended": _("特别程序，暂停计算期限"),
    "case:resumed": _("恢复计算期限"),
    "case:extended": _("延长期限"),
    "case:deemed-renewed": _("届满以前没有决定，视为准予延续"),
    "case:granted": _("作出决定：准予许可"),
    "case:refused": _("作出决定：不予许可"),
    "case:decided-otherwise": _("决定与建议不一致"),
    "case:withdrawn": _("撤回申请"),
    "case:terminated": _("终止办理"),
    "case:urged": _("催办"),
    "case:delivered": _("送达结果"),
    "case:concluded": _("办结"),
    "case:forwarded": _("报上级机关决定"),
    "case:announced": _("公示"),
    "case:hearing-announced": _("通知举行听证"),
    "case:hearing-asked": _("要求听证"),
    "case:hearing-waived": _("放弃听证"),
    "case:hearing-held": _("听证完毕，制作笔录"),
    "case:hearing-called-off": _("取消原定的听证"),
    "party:told": _("告知利害关系人"),
    "party:dropped": _("不再列为利害关系人"),
    "party:known": _("利害关系人认领告知书"),
    "party:stated": _("利害关系人陈述意见"),
    "party:lapsed": _("利害关系人逾期没有陈述意见"),
    "case:not-suspended": _("期限已过，特别程序不再暂停计算"),
    "case:supplied": _("补齐容缺材料"),
    "material:deferred": _("容缺：承诺以后补交"),
    "card:given": _("亮牌"),
    "evidence:attached": _("上传取证材料"),
    "evidence:removed": _("移除取证材料"),
    "commitment:made": _("作出告知承诺"),
    "commitment:voided": _("不再适用告知承诺"),
    "commitment:kept": _("核查：承诺属实"),
    "commitment:broken": _("核查：承诺不实"),
    "commitment:repaired": _("信用修复，可以再作承诺"),
    "case:held": _("暂停流转"),
    "case:released": _("恢复流转"),
    "case:migrated": _("转到另一版本办理"),
    "case:migration-undone": _("撤销版本迁移"),
    "task:claimed": _("开始办理"),
    "task:released": _("退回待办"),
    "task:completed": _("完成环节"),
    "task:returned": _("退回前面的环节"),
    "task:moved": _("调整环节"),
    "task:skipped": _("跳过环节"),
    "task:incident": _("环节无法推进，转人工处理"),
    "task:retried": _("环节重新办理"),
    "timer:fired": _("期限届满"),
    "timer:incident": _("定时转人工处理"),
    "timer:retried": _("定时重新办理"),
    "errand:answered": _("收到外部系统答复"),
    "errand:incident": _("自动事务转人工处理"),
    "errand:retried": _("自动事务重新办理"),
    "errand:skipped": _("跳过自动事务"),
    "task:passed-on": _("转办"),
    "task:taken-back": _("收回待办"),
    "countersign:asked": _("发起会签"),
    "countersign:answered": _("会签答复"),
    "countersign:withdrawn": _("撤回会签"),
    "memo:copied": _("抄送"),
    "memo:urged": _("催办"),
    "licence:issued": _("颁发证照"),
    "licence:changed": _("变更证照"),
    "licence:renewed": _("延续证照"),
    "licence:reissued": _("补领证照"),
    "licence:expired": _("证照到期"),
    "licence:shown": _("调用证照"),
    "licence:copied": _("出具加注件"),
    "licence:exported": _("导出证照"),
    "licence:drawn": _("证照文件制作完成"),
    "licence:suspended": _("暂扣证照"),
    "licence:given-back": _("发还证照"),
    "licence:revoked": _("吊销证照"),
    "licence:rescinded": _("撤销证照"),
    "licence:cancelled": _("注销证照"),
    "notice:issued": _("制发文书"),
    "notice:announced": _("公告送达，期满视为送达"),
    "notice:delivered": _("文书送达"),
    "procedure:finished": _("流程结束"),
    "procedure:failed": _("流程结束"),
    "procedure:told": _("流程发出消息"),
    "procedure:message": _("人工送达消息"),
}

# What stands in a countdown's ledger, and on its proof sheet.
ENTRIES: Mapping[str, LazyString] = {
    EntryType.START: _("起算"),
    EntryType.DEEMED: _("视为起算"),
    EntryType.SUSPEND: _("暂停计算"),
    EntryType.RESUME: _("恢复计算"),
    EntryType.EXTEND: _("延期"),
    EntryType.STOP: _("停止"),
    EntryType.RECOUNT: _("日历更正，重新计算"),
}

DAYS: Mapping[str, LazyString] = {
    "event": _("起算当日"),
    "suspended": _("特别程序"),
    Kind.WORKDAY: _("工作日"),
    Kind.MADE_UP: _("调休上班"),
    Kind.WEEKEND: _("周末"),
    Kind.HOLIDAY: _("放假"),
}

WEEKDAYS: tuple[LazyString, ...] = (
    _("星期一"),
    _("星期二"),
    _("星期三"),
    _("星期四"),
    _("星期五"),
    _("星期六"),
    _("星期日"),
)

SHEET_RESULTS: Mapping[str, LazyString] = {
    "running": _("进行中"),
    "in-time": _("期限内办结"),
    "late": _("逾期办结"),
}

# What the office itself gives as the basis of an entry, where it is no article.
BASES: Mapping[str, LazyString] = {
    "task:completed": _("环节已经办结"),
    "case:concluded": _("办结"),
    "case:declined": _("不予受理"),
    "case:withdrawn": _("撤回申请"),
    "case:terminated": _("终止办理"),
}

INCIDENTS: Mapping[str, LazyString] = {
    "errand": _("自动事务"),
    "timer": _("定时"),
    "task": _("待办"),
}
_WORKER_LOST = _("执行它的后台进程多次中断")

PARTS: Mapping[str, LazyString] = {
    Part.REPLIES: _("逐项答复"),
    Part.MATERIALS: _("上传材料"),
    Part.COMMITMENT: _("选择办理方式"),
}

# How far a step of a draft is, and the kind of tag that tells it.
PROGRESS: Mapping[str, tuple[LazyString, str]] = {
    Progress.NOT_STARTED: (_("还没有填写"), "neutral"),
    Progress.BEGUN: (_("填写中"), "wait"),
    Progress.DONE: (_("已填好"), "good"),
}

STAGES: tuple[LazyString, ...] = (_("申请"), _("受理"), _("审查"), _("决定"), _("送达"))

WHY: Mapping[str, LazyString] = {
    "required": _("请填写"),
    "missing": _("请上传这份材料"),
    "wrong-type": _("文件格式不对，或者内容与格式不符"),
    "too-large": _("文件太大"),
    "empty": _("文件是空的"),
    "unreadable": _("打不开这个文件，可能已经损坏或者太复杂。请重新导出或者扫描后再上传"),
    "encrypted": _("文件加了密码或者使用限制。请去掉以后再上传"),
    "too-many-pages": _("页数太多。请拆成几份，或者只上传需要的部分"),
    "too-many-pixels": _("图片的像素太多。请调低分辨率后再上传"),
    "not-asked-for": _("这一项不需要提供"),
    "no-such-licence": _("没有这张可以办理的证照。请核对编号：证照应当是您的、有效并且没有到期"),
    "not-deferrable": _("这份材料不能以后补交"),
    "not-open": _("不能以告知承诺的方式办理：不符合事项规定的情形，或者以前的承诺不实、尚未修复"),
    "too-long": _("太长了"),
    "too-short": _("太短了"),
    "no-such-glyph": _("有的字符不能印在证照上，请换一种写法"),
    "too-many": _("太多了"),
    "not-alike": _("只能选同一事项的同一环节"),
    "not-filled-in": _("这些事项的事项包没有填写这个字段"),
    "template": _("试制没有成功"),
    "out-of-range": _("超出了允许的范围"),
    "not-a-number": _("请填写数字"),
    "wrong-form": _("格式不对"),
    "wrong-code": _("确认码不正确，或者已经过期、已经用过"),
    "not-a-choice": _("请从所列的选项中选择"),
    "not-theirs": _("证件号码与姓名不一致，或者是申请人本人"),
    "too-late": _("要求听证的期限已过。意见仍然可以提交"),
    "taken": _("已经有人使用"),
    "not-a-date": _("请填写日期，例如 2026-09-21"),
}
_WRONG = _("这一项不正确")


def stopped_by(reason: str) -> LazyString | str:
    """Find the words for why something cannot go on; the name of a fault stays as it is."""
    if reason == "worker-lost":
        return _WORKER_LOST
    return REFUSALS[reason].title if reason in REFUSALS else reason


def why(code: str) -> LazyString:
    """Find the words for what is wrong with an answer or a material."""
    return WHY.get(code, _WRONG)


def called(names: Mapping[Any, LazyString], code: Any) -> LazyString | str:
    """Find what a code is called; a word that a pack brought itself stays as it is."""
    return names.get(code, str(code))
