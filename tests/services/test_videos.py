import pytest

from luma.errors import RuleBroken
from luma.services import videos
from luma.services.videos import Video

ID = "M7lc1UVf-VE"


@pytest.mark.parametrize(
    ("address", "start"),
    [
        (ID, 0),
        (f"  {ID}\n", 0),
        (f"https://www.youtube.com/watch?v={ID}", 0),
        (f"http://youtube.com/watch?v={ID}&feature=share", 0),
        (f"youtube.com/watch?v={ID}", 0),
        (f"//www.youtube.com/watch?v={ID}", 0),
        (f"https://m.youtube.com/watch?app=desktop&v={ID}", 0),
        (f"https://music.youtube.com/watch?v={ID}", 0),
        (f"https://WWW.YouTube.com/watch?v={ID}", 0),
        (f"https://youtu.be/{ID}", 0),
        (f"youtu.be/{ID}?si=Ab_cd-123", 0),
        (f"https://youtu.be/{ID}?t=90", 90),
        (f"https://www.youtube.com/watch?v={ID}&t=1h2m3s", 3723),
        (f"https://www.youtube.com/watch?v={ID}&t=2m", 120),
        (f"https://www.youtube.com/watch?v={ID}&t=45s", 45),
        (f"https://www.youtube.com/watch?v={ID}#t=1m30s", 90),
        (f"https://www.youtube.com/watch?v={ID}&t=soon", 0),
        (f"https://www.youtube.com/watch?v={ID}&t=999999999999", 0),
        (f"https://www.youtube.com/watch?v={ID}&t=999h", 360_000),
        (f"https://www.youtube.com/watch?v={ID}&list=PL0123456789&index=4&t=7", 7),
        (f"https://www.youtube.com/shorts/{ID}?feature=share", 0),
        (f"https://www.youtube.com/live/{ID}?si=x", 0),
        (f"https://www.youtube.com/embed/{ID}?start=30&rel=0", 30),
        (f"https://www.youtube-nocookie.com/embed/{ID}", 0),
        (f"https://www.youtube.com/v/{ID}", 0),
        (
            f'<iframe width="560" src="https://www.youtube.com/embed/{ID}?si=a&amp;start=5"></iframe>',
            5,
        ),
    ],
)
def test_every_usual_form_is_read(address: str, start: int) -> None:
    video = videos.read(address)

    assert video == Video(ID, start)
    assert videos.read(video.address) == video


@pytest.mark.parametrize(
    "address",
    [
        "hello",
        "https://vimeo.com/76979871",
        f"https://youtube.com.evil.example/watch?v={ID}",
        f"https://evil.example/?u=https://youtu.be/{ID}",
        f"https://youtube.com@evil.example/watch?v={ID}",
        f"https://anna@www.youtube.com/watch?v={ID}",
        f"javascript:alert(1)//youtu.be/{ID}",
        f"javascript://youtu.be/{ID}",
        f"ftp://youtu.be/{ID}",
        f"https://youtu.be/{ID}\0",
        f"https://you\u202etu.be/{ID}",
        "https://[youtu.be/x",
        f"https://youtu.be/{ID}" + "a" * 1_000_000,
    ],
)  # fmt: skip
def test_what_is_no_youtube_address_is_refused(address: str) -> None:
    with pytest.raises(RuleBroken):
        videos.read(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/",
        "https://www.youtube.com/@somebody",
        "https://www.youtube.com/watch?v=short",
        "https://www.youtube.com/watch?v=waytoolongforanid",
        "https://www.youtube.com/shorts/",
        f"https://youtu.be/{ID[:-1]}!",
        f"https://youtu.be/{ID[:-1]}\u0660",
    ],
)
def test_an_address_at_youtube_without_a_video_says_so(address: str) -> None:
    with pytest.raises(RuleBroken, match="no single video"):
        videos.read(address)


@pytest.mark.parametrize("folder", ["playlist", "embed/videoseries", "watch"])
def test_a_playlist_says_how_to_get_one_video(folder: str) -> None:
    with pytest.raises(RuleBroken, match="This is a playlist"):
        videos.read(f"https://www.youtube.com/{folder}?list=PL0123456789")
