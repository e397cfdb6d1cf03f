"""Known answers. Those of RFCs are copied from them; the others agree with libsrtp."""

from typing import NamedTuple

from ngdaemon.srtp.keys import Keys
from ngdaemon.srtp.suites import SUITES


class Keystream(NamedTuple):
    """AES in counter mode: blocks 0 to 2, and those from FEFF."""

    key: str
    first: str
    later: str


COUNTER = "F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"
"""Of all keystreams here."""

KEYSTREAMS = {
    "RFC 3711 B.2": Keystream(
        "2B7E151628AED2A6ABF7158809CF4F3C",
        "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0",
        "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44",
    ),
    "RFC 6188 7.1": Keystream(
        "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
        "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c94c9a31",
        "cea518c90fd91ced9cbb18c078a547113dbc4814f4da5f00a08772b63c6a046d6eb246913062a16891433e97dd01a57f",
    ),
    "RFC 6188 7.3": Keystream(
        "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
        "35096cba4610028dc1b57503804ce37c5de986291dcce161d5165ec4568f5c9a474a40c77894bc17180202272a4c264d",
        "d108d1a31a00bad6367ec23eb044b415c8f57129fdeb970b59f917b257662d4ca5dab625811034e8cebdfeb6dc158dd3",
    ),
}


class Derivation(NamedTuple):
    """Master key and salt, and what each label gives. Labels 0 to 2 are of RTP, 3 to 5 of RTCP (RFC 3711 §4.3.2)."""

    key: str
    salt: str
    labels: dict[int, str]


DERIVATIONS = {
    "RFC 3711 B.3": Derivation(
        "E1F97A0D3E018BE0D64FA32C06DE4139",
        "0EC675AD498AFEEBB6960B3AABE6",
        {
            0: "C61E7A93744F39EE10734AFE3FF7A087",
            1: "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF722709863"
            "71C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
            2: "30CBBC08863D8C85D49DB34A9AE1",
            3: "4C1AA45A81F73D61C800BBB00FBB1EAA",
            4: "8D54534FEB49AE8E7993A6BD0B844FC323A93DFD",
            5: "9581C7AD87B3E530BF3E4454A8B3",
            6: "549752054D6FB708622C4A2E596A1B93",
            7: "AB01818174C40D39A3781F7C2D27",
        },
    ),
    "RFC 6188 7.2": Derivation(
        "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
        "3b04803de51ee7c96423ab5b78d2",
        {
            0: "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
            1: "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
            2: "fa31791685ca444a9e07c6c64e93",
        },
    ),
    "RFC 6188 7.4": Derivation(
        "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
        "c8522f3acd4ce86d5add78edbb11",
        {
            0: "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
            1: "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb",
            2: "2372b82d639b6d8503a47adc0a6c",
        },
    ),
    "AES-GCM 128": Derivation(
        "000102030405060708090a0b0c0d0e0f",
        "a0a1a2a3a4a5a6a7a8a9aaab",
        {
            0: "077c6143cb221bc355ff23d5f984a16e",
            2: "9af3e95364ebac9c99c5a7c4",
            3: "615dcd9042600666f6fd4d9e4fe4519f",
            5: "fcca937b9112a500dac72269",
        },
    ),
    "AES-GCM 256": Derivation(
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "a0a1a2a3a4a5a6a7a8a9aaab",
        {
            0: "b7a435ce454463b760dc82c838468a115c699625af4b93a0f8220a2a6119c5d0",
            2: "944bd21c268a962cd09c674a",
            3: "3c90f52a0a13ff8a853397cadc245b9eac76b36edb4a6062bf624aa1174eebf2",
            5: "258c540cf38ddd40848ceaed",
        },
    ),
}

GCM_SESSION_KEYS = {
    "AEAD_AES_128_GCM": "000102030405060708090a0b0c0d0e0f",
    "AEAD_AES_256_GCM": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
}
"""Of RFC 7714 §16 and §17: session keys, not master keys."""
GCM_SESSION_SALT = "517569642070726f2071756f"

GCM_RTP = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
GCM_RTP_SEALED = {
    "AEAD_AES_128_GCM": "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a"
    "51c7d19b36de3adf"
    "8833899d7f27beb16a9152cf765ee4390cce",
    "AEAD_AES_256_GCM": "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a02"
    "76ffae0f1ba63799"
    "b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
}
GCM_RTP_TAG = {
    "AEAD_AES_128_GCM": "22493f82d2bce397e9d79e3b19aa4216",
    "AEAD_AES_256_GCM": "a866d5910f887463067ceefec45215d4",
}
"""Without encryption (RFC 7714 §16.1.3, §16.2.3)."""

GCM_RTCP = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
GCM_RTCP_INDEX = 0x5D4
GCM_RTCP_SEALED = {
    "AEAD_AES_128_GCM": "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
    "4ce09b4686303ded"
    "0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
    "AEAD_AES_256_GCM": "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be"
    "8415f658c61de047"
    "6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
}
GCM_RTCP_TAG = {
    "AEAD_AES_128_GCM": "841dd9683dd78ec92ae58790125f62b3",
    "AEAD_AES_256_GCM": "91db4afbfeee5a978fab4393ed2615fe",
}
"""Without encryption, E = 0 (RFC 7714 §17.3, §17.4)."""

RTP = bytes.fromhex("800f1234decafbadcafebabe") + b"\xab" * 16
RTCP = bytes.fromhex("81c8000bcafebabe") + b"\xab" * 16

_B3 = (DERIVATIONS["RFC 3711 B.3"].key, DERIVATIONS["RFC 3711 B.3"].salt)
_G128 = (DERIVATIONS["AES-GCM 128"].key, DERIVATIONS["AES-GCM 128"].salt)
_G256 = (DERIVATIONS["AES-GCM 256"].key, DERIVATIONS["AES-GCM 256"].salt)

MASTER = {
    "AES_CM_128_HMAC_SHA1_80": _B3,
    "AES_CM_128_HMAC_SHA1_32": _B3,
    "AEAD_AES_128_GCM": _G128,
    "AEAD_AES_256_GCM": _G256,
}

RTP_SEALED = {
    "AES_CM_128_HMAC_SHA1_80": "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
    "AES_CM_128_HMAC_SHA1_32": "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc",
    "AEAD_AES_128_GCM": "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
    "AEAD_AES_256_GCM": "800f1234decafbadcafebabe0af7f21e8a90bdad7a425c9c31ed4bb1d90238917e7390a2793500e1681acaea",
}
"""`RTP` under the keys of `MASTER`, rollover counter 0."""

RTCP_SEALED = {
    1: "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
    0: "81c8000bcafebabeb19c219a086b6c7ae61d8e0bfeb4be3f800000005631d6cfc906cdb30f41",
}
"""`RTCP` with AES_CM_128_HMAC_SHA1_80, by index: peers start with either."""


def master_keys(suite: str) -> Keys:
    """The master key and salt that go with that suite's packets."""
    key, salt = MASTER[suite]
    return Keys(SUITES[suite], bytes.fromhex(key), bytes.fromhex(salt))
