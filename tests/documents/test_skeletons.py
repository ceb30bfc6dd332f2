"""Skeletons: a page is cut where HTML is read to be cut, and what may differ is plain text only."""

from itertools import pairwise

import pytest

from approval.documents import drawing, plates, skeletons


@pytest.mark.parametrize(
    "page",
    [
        "<p>a</p>b<i>c",
        "<table>x<tr><td>y</table>z",
        "<!-- a --><p>b<!-- > c --></p>",
        "<p title='>'>a</p>",
        "<title>a &amp; b</title><p>c",
        "<style>p > b { color: red }</style><p>a",
        "<p>&nbsp;a &lt; b</p>",
        "<script>if (1 > 0) {}</script><p>a",
        "a\r\nb",
    ],
)
def test_a_page_is_cut_as_it_is_read_or_not_at_all(page):
    cut = skeletons.split(page)
    read = tuple(text for _, text in skeletons.texts(drawing.parse(page).etree_element))
    if cut is None or cut.texts != read:
        with pytest.raises(plates.Unfit):
            plates.make(page, cut or skeletons.Skeleton(b"", ("?",)))
    else:
        assert cut.texts == read


def test_a_skeleton_is_all_but_plain_texts():
    def key(page):
        return skeletons.split(page).key

    assert key("<p> a </p>") == key("<p> b&amp;c d　e </p>")
    pages = [
        "<p> a </p>",
        "<p>a</p>",
        "<p> a\nb </p>",
        "<p> a  b </p>",
        "<p> a&nbsp;b </p>",
        "<p>  </p>",
        "<p class=a> a </p>",
    ]
    assert all(key(one) != key(other) for one, other in pairwise(pages))
    assert len({key(page) for page in pages}) == len(pages)
    assert skeletons.split("a < b") is None
    assert skeletons.split("<p>\0</p>") is None
