"""Words for refusals (拒绝的说法): what cannot be done, and what to do instead, by the code of the class."""

from collections.abc import Mapping
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


class Told(NamedTuple):
    """A headline, and what to do now."""

    title: LazyString
    advice: LazyString


REFUSALS: Mapping[str, Told] = {
    "refusal": Told(_("这件事现在办不了"), _("内容不符合要求。请检查后再试，或者到窗口咨询。")),
    "not-found": Told(_("没有找到"), _("地址或者编号可能有误，也可能您无权查看。")),
    "not-signed-in": Told(_("请先登录"), _("登录以后可以继续。长时间没有操作时，登录会自动失效。")),
    "not-allowed": Told(_("您的岗位不能办理这一步"), _("请由有权办理的人员办理，或者联系管理员。")),
    "incomplete": Told(_("还有内容需要补充"), _("下面一次列出了全部问题，改好以后可以继续。")),
    "answers-invalid": Told(_("填写的内容有问题"), _("下面一次列出了全部问题，改好以后可以继续。")),
    "notice-incomplete": Told(_("文书缺少依法必须写明的内容"), _("下面一次列出了全部内容，补齐以前不能签发。")),
    "out-of-turn": Told(_("现在不能办理这一步"), _("办件的进度不允许这样做。请查看办件目前的情况。")),
    "illegal-step": Told(_("依法不能这样办理"), _("办件目前的状态不允许这一步。请查看办件目前的情况。")),
    "asked-once": Told(
        _("补正已经一次性告知过"),
        _("依法应当一次告知全部内容，补正齐全的应当受理。确需再次补正的，请签发人在办理时限页面说明理由并同意。"),
    ),
    "already-done": Told(_("这一步已经办过了"), _("不需要再办一次。请查看办件目前的情况。")),
    "time-passed": Told(_("办理期限已过"), _("期限届满的后果依法已经发生，或者即将由系统记录。请稍后查看办件。")),
    "suspension-backdated": Told(
        _("已经过去的日子不能暂停计算"), _("特别程序从今天或者以后开始计算。请重新选择日期。")
    ),
    "extended-already": Told(
        _("期限已经延长过一次"), _("依法只能延长一次。确需特别程序的，请按特别程序办理并告知申请人。")
    ),
    "notice-unreadable": Told(_("不能读取放假通知"), _("请核对年份、日期和文号，改好以后再导入。")),
    "sheet-unreadable": Told(_("这不是时限计算书"), _("请使用从办件页面下载的数据文件。")),
    "item-closed": Told(_("这个事项暂停申请"), _("目前不接收新的申请。请查看办事指南或者拨打咨询电话。")),
    "held": Told(_("办件暂停流转"), _("管理员正在处理这个办件，请稍后再办理。办理时限照常计算。")),
    "objected": Told(_("对方系统没有受理"), _("办件没有受到影响，请联系管理员。")),
    "opposed": Told(_("协办部门的不同意见还没有处理"), _("请先处理异议、说明理由；异议成立的，依法不得准予。")),
    "unheard": Told(_("听证还没有举行完毕"), _("应当根据听证笔录作出决定。请先完成听证笔录。")),
    "parties-unheard": Told(
        _("还没有听取利害关系人的意见"),
        _("每个利害关系人答复，或者自收到告知书之日起期限届满以后，才能作出决定。请查看办件中告知书的送达情况。"),
    ),
    "unanswered": Told(_("会签或者协办还没有完成"), _("请等会签人、协办部门答复；会签也可以撤回。")),
    "overtaken": Told(_("别人先办了一步"), _("办件刚刚被别人更新。请查看目前的情况后再办理。")),
    "draft-expired": Told(_("草稿已经过期"), _("草稿很久没有改动，内容已经清除。请从办事指南或者“我的办件”重新开始。")),
    "too-many": Told(_("尝试次数过多"), _("请稍等几分钟再试。")),
    "wallet-refused": Told(_("钱包不能领取"), _("领取码可能已经过期或者用过。请从“我的证照”重新开始。")),
    "pack-refused": Told(_("事项包有缺陷"), _("下面列出了全部缺陷，改好以后可以再次发布。")),
    "unavailable": Told(_("暂时无法办理"), _("系统的一个部分暂时不可用，您的办件没有受到影响。请稍后再试。")),
    "unconfirmed": Told(_("对方没有确认收到"), _("可能已经送到，也可能没有。请稍后查看，不要重复操作。")),
    "expression-refused": Told(_("有一条规则无法计算"), _("事项包中的规则有误，请联系管理员。")),
    "script-refused": Told(_("有一条规则无法计算"), _("事项包中的规则有误，请联系管理员。")),
    "unplain": Told(_("有一条规则无法计算"), _("事项包中的规则有误，请联系管理员。")),
    "value-refused": Told(_("有的内容无法保存"), _("内容的形式不能保存，请检查后再试。")),
    "decision-refused": Told(_("有一张决策表无法计算"), _("事项包中的决策表有误，请联系管理员。")),
    "state-refused": Told(_("办件的流程状态无法读取"), _("办件没有改动，请联系管理员。")),
    "no-way-on": Told(_("流程走不下去了"), _("办件停在原来的地方，没有改动。请联系管理员。")),
    "cannot-migrate": Told(_("办件不能迁移到新版本"), _("办件留在原来的版本，没有改动。请联系管理员。")),
    "certificate-error": Told(_("证照库无法办理"), _("内容不符合证照的要求。请检查后再试，或者联系管理员。")),
    "identifier-invalid": Told(_("代码不正确"), _("代码的形式或者校验位有误，请核对。")),
    "number-pattern-invalid": Told(_("证照编号规则有误"), _("请联系管理员。")),
    "numbers-exhausted": Told(_("证照编号已经用完"), _("请联系管理员。")),
    "not-canonical": Told(_("证照内容不规范"), _("同一内容有不止一种读法，不能签章。")),
    "naive-instant": Told(_("时间缺少时区"), _("请联系管理员。")),
    "licence-unknown": Told(_("没有这张证照"), _("编号可能有误，请核对。")),
    "not-logged": Told(_("透明日志里没有这一条"), _("可能还没有入账，请过一会儿再查。")),
    "checkpoint-invalid": Told(_("检查点不是这个日志签发的"), _("请核对日志公钥。")),
    "illegal-act": Told(_("依法不能这样处理证照"), _("证照目前的状态不允许这样做。")),
    "reason-missing": Told(_("缺少理由或者依据"), _("对持证人不利的处理，必须写明理由和法律依据。")),
    "timestamp-unavailable": Told(_("时间戳服务暂时没有应答"), _("系统会自动再试，不影响证照的效力。")),
    "seal-refused": Told(_("不能加盖电子印章"), _("印章不属于签发机关，或者目前不能使用。请联系管理员。")),
    "authority-unusable": Told(_("电子印章机构不可用"), _("请联系管理员。")),
    "not-enrolled": Told(_("没有与这张证书对应的人员"), _("证书是有效的，但还没有在本系统登记。请到窗口办理登记。")),
    "disabled": Told(_("这个账户已经停用"), _("如有疑问，请联系窗口或者管理员。")),
    "identity-refused": Told(_("不能用这张证书登录"), _("请换一张证书，或者用密码登录。")),
    "token-malformed": Told(_("没有收到完整的证书签名"), _("请在本页重新选择证书文件，再登录一次。")),
    "challenge-unknown": Told(
        _("这次登录请求已经用过，或者不是在这个浏览器中打开的"), _("本页已经换了新的登录请求，请再登录一次。")
    ),
    "challenge-stale": Told(_("这次登录请求已经过期"), _("登录页打开以后 5 分钟内有效。请再登录一次。")),
    "origin-foreign": Told(
        _("签名是在另一个网址上做的"), _("请核对地址栏中的网址，谨防仿冒；请从本网站的网址打开登录页。")
    ),
    "key-unsuitable": Told(_("证书的密钥或者算法不能用来登录"), _("请使用 P-256 或者 RSA 2048 位以上的证书。")),
    "signature-wrong": Told(_("签名不正确"), _("签名与证书、本网站或者这次登录请求对不上。请再登录一次。")),
    "usage-wrong": Told(_("这不是个人登录用的证书"), _("印章证书和其他用途的证书不能登录，请选择个人身份证书。")),
    "issuer-untrusted": Told(_("证书不是本市认可的机构签发的"), _("请使用认可的机构签发的证书，或者用密码登录。")),
    "certificate-expired": Told(_("证书已经过期"), _("请向签发机构换发证书，或者用密码登录。")),
    "certificate-not-yet-valid": Told(_("证书还没有到生效日期"), _("请在生效以后再用，或者用密码登录。")),
    "certificate-revoked": Told(_("证书已经被吊销"), _("它不能再用来登录。请向签发机构换发证书，或者用密码登录。")),
    "revocation-unknown": Told(
        _("目前查不到证书是否已被吊销"), _("查到之前不能用证书登录。请稍后再试，或者用密码登录。")
    ),
}

_HTTP: Mapping[int, Told] = {
    400: Told(_("请求无法处理"), _("页面可能已经过期。请返回上一页，刷新以后再试。")),
    404: REFUSALS["not-found"],
    405: Told(_("不能这样打开这个地址"), _("请从页面上的链接或者按钮进入。")),
    413: Told(_("内容太大"), _("没有收到任何内容。请减小文件后再试：照片可以调低分辨率，扫描件可以选用黑白。")),
    500: Told(_("系统出了故障"), _("您刚才的操作没有生效。请稍后再试；如果需要帮助，请告诉我们下面的编号。")),
}


def refusal(kind: type[Exception]) -> Told:
    """Find the words for a class of refusal, its parent's if it has none of its own."""
    codes = (each.__dict__.get("code", "") for each in kind.__mro__)
    return next((REFUSALS[code] for code in codes if code in REFUSALS), _HTTP[500])


def http(status: int) -> Told:
    """Find the words for a status that Flask itself answers with."""
    return _HTTP.get(status, _HTTP[400])
