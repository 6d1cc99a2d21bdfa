"""Check that a kept web font is the one that would be packed, whatever happened to the folder."""

import os

import pytest

from nbproof import fonts


@pytest.fixture
def packs(monkeypatch):
    """Count what is packed, and pack something short."""
    packed = []

    def pack(font, characters):
        packed.append(characters)
        return f"{font.name} {characters}".encode()

    monkeypatch.setattr(fonts, "pack", pack)
    return packed


def test_kept_and_packed_are_the_same_bytes(tmp_path):
    made = fonts.kept(fonts.file(), "\u6d41\u91cf", tmp_path)
    assert made == fonts.kept(fonts.file(), "\u6d41\u91cf", tmp_path) == fonts.pack(fonts.file(), "\u6d41\u91cf")
    assert len(list(tmp_path.iterdir())) == 1


def test_fonts_and_characters_are_kept_apart(tmp_path, packs):
    folder = tmp_path / "web"
    asked = [(font, text) for font in (fonts.file(), fonts.file(700), fonts.file(400, "en")) for text in ("a", "b")]
    assert len({fonts.kept(*one, folder) for one in asked * 2}) == len(packs) == 6


def test_a_damaged_file_is_packed_again(tmp_path, packs):
    made = fonts.kept(fonts.file(), "a", tmp_path)
    (file,) = tmp_path.iterdir()
    for damage in (file.read_bytes()[:-1], b"", file.read_bytes()[:-1] + b"?"):
        file.write_bytes(damage)
        assert fonts.kept(fonts.file(), "a", tmp_path) == made
    assert len(packs) == 4


def test_those_used_last_are_kept(tmp_path, packs, monkeypatch):
    monkeypatch.setattr(fonts, "KEPT", 3)
    (tmp_path / ".of-a-killed-process").write_bytes(b"half")
    os.utime(tmp_path / ".of-a-killed-process", (0, 0))
    for age, text in enumerate("abcad"):  # a is used again before d comes
        before = set(tmp_path.iterdir())
        fonts.kept(fonts.file(), text, tmp_path)
        for file in set(tmp_path.iterdir()) - before:
            os.utime(file, (age + 1, age + 1))
    assert len(list(tmp_path.iterdir())) == 3
    packs.clear()
    for text in "acd":
        fonts.kept(fonts.file(), text, tmp_path)
    assert packs == []


def test_a_folder_that_cannot_be_written_keeps_none(tmp_path, packs):
    (tmp_path / "file").write_text("in the way")
    assert [fonts.kept(fonts.file(), "a", tmp_path / "file" / "web") for _ in "12"] == [
        f"{fonts.file().name} a".encode()
    ] * 2
    assert len(packs) == 2
