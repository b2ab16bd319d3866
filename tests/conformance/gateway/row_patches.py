"""Any changes to a few rows of one table."""

from __future__ import annotations

from hypothesis import strategies as st

from services.gateway.rows import Delete, DeleteWhere, Merge, Patch, Put

_NUMBERS = st.integers(0, 3)
_IDS = st.sampled_from("ab")
_DOCUMENTS = st.fixed_dictionaries({"systemId": st.sampled_from("xy")}, optional={"p": _NUMBERS})

PATCHES: st.SearchStrategy[Patch] = st.one_of(
    st.builds(Put, st.just("link"), _IDS, _DOCUMENTS),
    st.builds(
        Merge,
        st.just("link"),
        _IDS,
        st.dictionaries(st.sampled_from("pq"), _NUMBERS),
        st.dictionaries(st.sampled_from("pqr"), _NUMBERS),
    ),
    st.builds(Delete, st.just("link"), _IDS),
    st.builds(DeleteWhere, st.just("link"), st.just("systemId"), st.sampled_from("xy")),
)
