"""The families of spellings (ng-protocol.md §1.3)."""

from ngdaemon.ng.spelling import spelled, spellings, vocabulary


def test_words_are_joined_by_hyphens_spaces_or_underscores() -> None:
    assert set(spellings("delete-delay")) == {"delete-delay", "delete delay", "delete_delay"}


def test_abbreviations_are_upper_or_lower_case() -> None:
    assert set(spellings("sdp-attr")) >= {"sdp-attr", "SDP-attr", "SDP attr", "sdp_attr"}
    assert not set(spellings("sdp-attr")) & {"Sdp-attr", "SDP-ATTR", "sdp-Attr"}


def test_one_word_has_no_joints() -> None:
    assert set(spellings("tos")) == {"tos", "TOS"}


def test_product_names_have_a_case_of_their_own() -> None:
    assert set(spellings("webrtc")) == {"webrtc", "WEBRTC", "WebRTC", "webRTC", "WebRtc"}
    assert "MoH" in set(spellings("moh"))


def test_a_table_knows_all_spellings_of_all_names() -> None:
    table = spelled([(("mix", "mixed"), 1), (("rtcp-mirror", "mirror-rtcp"), 2)])
    assert [table[name] for name in ("mix", "mixed", "RTCP mirror", "mirror_rtcp")] == [1, 1, 2, 2]


def test_a_vocabulary_gives_the_first_word_for_the_others() -> None:
    words = vocabulary("origin", ("off", "no", "disabled"), "force-relay")
    assert words["disabled"] == "off"
    assert words["force_relay"] == words["force relay"] == "force-relay"
    assert words["origin"] == "origin"
    assert "Origin" not in words
