"""Lyrics of ACE-Step v1: what is read with and without the extra, in which language, and what is refused."""

from string import ascii_lowercase

import ace_folder
import pytest
from attrs import evolve

from tada_ace_step import lyrics as reader
from tada_ace_step.language import LANGUAGES, detect
from tada_ace_step.lyrics import LyricTokenizer
from tada_core import Generation
from tada_core.errors import CheckpointError, SpecError


def build(path, tokens, special):
    from tokenizers import Tokenizer, models

    made = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, [], unk_token="<unk>"))
    made.add_special_tokens(special)
    made.save(str(path))
    return path


@pytest.fixture(scope="module")
def folder(shelf):
    return shelf.folder("ace-step")


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    """A few letters, blanks, tags and languages."""
    tokens = ["<unk>", "a", "<line>", "b", "c", "d", "[en]", "[SPACE]", "[verse]", "[es]"]
    return build(tmp_path_factory.mktemp("lyrics") / "vocabulary.json", tokens, tokens[-4:])


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """One token per letter of many languages, and one per language."""
    letters = ascii_lowercase + "K0123456789'.,!?-()áéñöúüışłśадвельмнтцأحبكلاثةरात"
    special = ["[SPACE]", "[chorus]", *(f"[{'zh-cn' if one == 'zh' else one}]" for one in LANGUAGES)]
    tokens = ["<unk>", "<0>", "<line>", *dict.fromkeys(letters), *special]
    return LyricTokenizer(build(tmp_path_factory.mktemp("lyrics") / "languages.json", tokens, special))


def read(tokenizer, lyrics):
    """Each line as the letters of its tokens."""
    lines, tokens = [""], [tokenizer.tokenizer.id_to_token(index) for index in tokenizer.encode(lyrics)[1:]]
    for token in tokens:
        if token == "<line>":
            lines.append("")
        else:
            lines[-1] += token.replace("[SPACE]", " ")
    assert lines.pop() == ""
    return lines


def test_lyrics_are_tags_and_english_line_by_line(vocabulary):
    ids = LyricTokenizer(vocabulary).encode('[verse]\nA  "bad" cab\n\n')
    a, b, c, d, en, blank, verse = 1, 3, 4, 5, 6, 7, 8
    assert ids == [261, en, verse, 2, en, a, blank, b, a, d, blank, c, a, b, 2, 2, 2]


ODD = {"99 balloons": "9", "el niño": "ñ", "春": "春", "love & hate": "&", "[es]dame": "a language mark", "İz": "̇"}


@pytest.fixture
def bare(monkeypatch):
    """An installation without the extra."""

    def absent(name):
        raise AssertionError(f"{name} was imported")

    monkeypatch.setattr(reader, "find_spec", lambda _: None)
    for module in ("language", "numerals", "spelling"):
        monkeypatch.setattr(f"tada_ace_step.{module}.import_module", absent)


@pytest.mark.parametrize("line", ODD)
def test_what_needs_the_extra_is_refused_before_any_work(folder, vocabulary, monkeypatch, bare, line):
    model = ace_folder.AceStep.load(str(folder), vocabulary=vocabulary)
    monkeypatch.setattr(model, "sample", None)
    with pytest.raises(SpecError) as refused:
        model.generate(Generation("a calm tune", lyrics=f"[verse]\n{line}"))
    assert str(refused.value) == (
        f"lyrics line '{line}' holds {ODD[line]}; all but structure tags and English letters needs num2words, "
        'py3langid, pypinyin, hangul_romanize: pip install "tada-core[lyrics]"'
    )


def test_plain_english_needs_no_extra_and_is_the_same_with_it(tokenizer, monkeypatch, request):
    song = '[chorus]\nIt\u2019s  a (bad) "cab", isn\'t it?\n\ndame un beso'
    with_extra = LyricTokenizer.encode(tokenizer, song)
    tokenizer.known.clear()
    request.getfixturevalue("bare")
    assert tokenizer.encode(song) == with_extra
    assert read(tokenizer, song) == ["[en][chorus]", "[en]it's a (bad) cab, isn't it?", "", "[en]dame un beso"]


def test_what_is_missing_alone_is_named(tokenizer, monkeypatch):
    monkeypatch.setattr(reader, "find_spec", lambda name: None if name == "pypinyin" else name)
    with pytest.raises(SpecError, match=r"letters needs pypinyin: pip install"):
        tokenizer.encode("25")


READ = {
    "[en]It\u2019s 3.5 miles": "[en]it's three point five miles",
    "[en]the 2nd of 1,000": "[en]the second of one thousand",
    "[es] Tengo 25 años": "[es]tengo veinticinco años",
    "[fr]le 1er été": "[fr]le premier été",
    "[de]am 1. Mai, 1.000 Mal": "[de]am erste mai, eintausend mal",
    "[de]12,5 Grad": "[de]zwölf Komma fünf grad",
    "[it]Ho 18 anni": "[it]ho diciotto anni",
    "[pt]o 1º dia": "[pt]o primeiro dia",
    "[pl]mam 20 lat": "[pl]mam dwadzieścia lat",
    "[tr]İzmir 5,20": "[tr]izmir beş,yirmi",
    "[nl]de 2e keer": "[nl]de tweede keer",
    "[cs]je mi 20 let": "[cs]je mi dvacet let",
    "[hu]20 éves": "[hu]húsz éves",
    "[ru]мне 20 лет": "[ru]мне двадцать лет",
    "[ar]أحبك 3": "[ar]أحبك ثلاثة",
    "[hi]रात": "[hi]रात",
    "[zh]你好。吗 Baby\uff01": "[zh-cn]ni3hao3,ma5 baby,",
    "[ko]나는 20 love": "[ko]naneun isib love",
    "[ja]Aishiteru yo": "[ja]aishiteru yo",
    "[chorus 2]": "[en]<unk>chorus two<unk>",
}


@pytest.mark.parametrize("line", READ)
def test_a_marked_line_is_read_in_its_language(tokenizer, line):
    # The extra line of digits keeps plain lines from being read as they are without the extra.
    assert read(tokenizer, f"{line}\n7") == [READ[line], "[en]seven"]


DETECTED = {
    "es": "Mi corazón late por ti",
    "fr": "La nuit est belle et l'été arrive",
    "de": "Tanz mit mir durch die Nacht",
    "it": "la luna è bella stasera",
    "pt": "Saudade de você, meu bem",
    "pl": "Gdzie jesteś, moja miła?",
    "tr": "seni çok seviyorum",
    "nl": "ik hou van jou mijn schat",
    "cs": "zpívej se mnou až do rána",
    "hu": "szeretlek téged nagyon",
    "en": "rain keeps falling down on me",
    "ru": "я тебя люблю",
    "ko": "love 사랑",
    "ja": "夜に駆ける",
    "zh": "我爱你 baby",
    "ar": "أحبك يا حبيبي",
    "hi": "रात लंबी और ठंडी है",
}


def test_every_language_is_detected():
    assert {language: detect(line) for language, line in DETECTED.items()} == {one: one for one in DETECTED}
    assert sorted(DETECTED) == sorted(LANGUAGES)
    assert detect("12, 3!") == "en"


def test_only_lyrics_with_other_letters_are_detected(tokenizer):
    assert read(tokenizer, "dame un beso\n7") == ["[en]dame un beso", "[en]seven"]
    mixed = "[chorus]\ndame un beso bajo la luna\nel niño canta en la calle\n[en]dame\n7"
    assert [line[:4] for line in read(tokenizer, mixed)] == ["[en]", "[es]", "[es]", "[en]", "[en]"]
    assert read(tokenizer, "[es]el niño\nbailando toda la noche") == ["[es]el niño", "[en]bailando toda la noche"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("love & hate @ 5%", "line 'love & hate @ 5%' holds % & @; write symbols as words"),
        ("我有20个梦想", "holds a number that cannot be read in 'zh'; write numbers as words"),
        ("[cs]1. den", "line '1. den' holds a number that cannot be read in 'cs'"),
        ("君の名は", r"is Japanese in its own script.* \(Hepburn\) after the mark \[ja\]"),
        ("♪ la", "read as 'en', holds ♪, which the vocabulary has not; transliterate it"),
        ("สวัส", "holds ว ส ั, which the vocabulary has not"),
        ("[chorus] 春", r"line '\[chorus\] 春', read as 'en', holds 春"),
    ],
)
def test_what_is_not_covered_is_refused(tokenizer, line, says):
    with pytest.raises(SpecError, match=says):
        tokenizer.encode(f"a bad cab\n{line}")


def test_it_sings(folder, vocabulary, monkeypatch):
    # The small checkpoint's table of lyrics has 160 entries.
    monkeypatch.setattr(reader, "START", 10)
    model = ace_folder.AceStep.load(str(folder), vocabulary=vocabulary)
    tune = Generation("a calm tune", steps=2, seconds=1.0)
    songs = (tune, *(evolve(tune, lyrics=lyrics) for lyrics in ("a bad cab", "[es]a bad cab", "a dab")))
    clips = [model.generate(song)[0].latents for song in songs]
    apart = [float((one - two).abs().max()) for index, one in enumerate(clips) for two in clips[:index]]
    assert min(apart) > 1e-3 * float(clips[0].abs().max())


def test_lyrics_need_the_vocabulary(shelf, monkeypatch):
    small = shelf.load("ace-step")
    monkeypatch.setattr(small, "sample", None)
    with pytest.raises(CheckpointError, match=r"curl -Lo .*lyric_vocab\.json"):
        small.generate(Generation("a calm tune", lyrics="[verse]\nhello", steps=2, seconds=1.0))
