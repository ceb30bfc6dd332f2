"""Words for verification (查验用语): how it ended, and what each question is called."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from approval.web.refusals import Told
from certificates import Outcome, Question

OUTCOMES: Mapping[Outcome, Told] = {
    Outcome.VALID: Told(_("证照真实、有效"), _("电子印章完好，与签发机关的记录一致，目前在有效期内。")),
    Outcome.UNREADABLE: Told(_("读不出这个文件"), _("请上传签发时的 PDF 文件，不要上传截图、照片或者扫描件。")),
    Outcome.FOREIGN: Told(
        _("不是本市机关签发的"), _("文件上的印章不属于本市有权签发的机关，不能作为有效证照。请向出示人核实。")
    ),
    Outcome.TAMPERED: Told(
        _("内容被改动过"), _("内容与电子印章对不上，不能作为有效证照。请向签发机关核实，并可以举报。")
    ),
    Outcome.UNKNOWN: Told(
        _("没有查到这张证照"), _("可能是编号或者查验码输入有误，也可能不是本市签发的证照。请核对后再试。")
    ),
    Outcome.UNSEALED: Told(_("还没有加盖电子印章"), _("这张证照尚未签发完成，目前没有效力。")),
    Outcome.REVOKED: Told(_("已经被吊销"), _("证照是真实的，但已经被签发机关吊销，不再有效。")),
    Outcome.RESCINDED: Told(_("已经被撤销"), _("证照是真实的，但当初的许可已经依法撤销，不再有效。")),
    Outcome.CANCELLED: Told(_("已经注销"), _("证照是真实的，但已经办理注销，不再有效。")),
    Outcome.SUPERSEDED: Told(
        _("已经换发新证"), _("证照是真实的，但已经被同一编号的新证照代替，请向持证人索取新证照。")
    ),
    Outcome.SUSPENDED: Told(_("正在暂扣"), _("证照是真实的，但目前被签发机关暂扣，发还以前不能使用。")),
    Outcome.EXPIRED: Told(_("已经过期"), _("证照是真实的，但有效期已经届满，不再有效。")),
    Outcome.COPY_ENDED: Told(_("加注件已经失去效力"), _("证照本身真实，但这份加注件已经注销或者超过使用期限。")),
    Outcome.NOT_YET_VALID: Told(_("还没有到生效日期"), _("证照是真实的，但有效期还没有开始。")),
    Outcome.UNVERIFIABLE: Told(
        _("现在无法得出结论"), _("有的问题目前无法查验。这不表示证照无效，请稍后再试，或者向签发机关核实。")
    ),
}

QUESTIONS: Mapping[Question, LazyString] = {
    Question.READABLE: _("文件可以读取"),
    Question.KNOWN_HERE: _("证照库中有记录"),
    Question.MATCHES_STORE: _("与签发时的文件完全一致"),
    Question.AGREES: _("文件、数据和二维码一致"),
    Question.DISCLOSED_AS_SIGNED: _("出示的每一项都与签发时一致"),
    Question.SHOWN_BY_HOLDER: _("由领取这张证照的钱包出示"),
    Question.RECORD_UNALTERED: _("证照库中的记录没有改动"),
    Question.SEALED: _("已加盖电子印章"),
    Question.SEALED_ONCE: _("只有一个签章"),
    Question.SEAL_INTACT: _("电子印章完好"),
    Question.WHOLE_DOCUMENT_COVERED: _("印章覆盖整个文件"),
    Question.CHANGES_FORBIDDEN: _("签章之后没有改动"),
    Question.SEALED_BY_ENTITLED_DEPARTMENT: _("印章属于签发机关"),
    Question.CHAIN_TO_ROOT: _("印章证书来自可信的根证书"),
    Question.SEAL_NOT_REVOKED: _("印章在签章时没有被撤销"),
    Question.IN_PUBLIC_LOG: _("签章已经记入透明日志"),
    Question.STATUS_CURRENT: _("状态列表在有效期内"),
    Question.NOT_REVOKED: _("证照没有被吊销"),
    Question.NOT_RESCINDED: _("证照没有被撤销"),
    Question.NOT_CANCELLED: _("证照没有注销"),
    Question.NOT_SUPERSEDED: _("证照没有被新证照代替"),
    Question.NOT_SUSPENDED: _("证照没有被暂扣"),
    Question.COPY_COUNTS: _("加注件没有注销，也没有超过使用期限"),
    Question.BEGUN: _("有效期已经开始"),
    Question.NOT_EXPIRED: _("有效期没有届满"),
}

# The answers whose detail is a day or a published reason; other details are for operators.
TELLING = frozenset({Question.NOT_REVOKED, Question.NOT_RESCINDED, Question.NOT_CANCELLED, Question.NOT_SUSPENDED}) | {
    Question.NOT_SUPERSEDED,
    Question.BEGUN,
    Question.NOT_EXPIRED,
}
