"""SecondImage: which other image is shown over the first, how it came to lie there, what was agreed to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import PurePath
from typing import Any, Self

from cryoplan.core.finding import Finding, Level

CONSENT_CODE = "second-image-agreed"

SHORT_NAME = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondImage:
    """A link to an image that is only looked at: nothing of it enters the plan or the temperatures.

    Attributes
    ----------
    path : str
        File or folder that it was read from.
    from_case : str
        The same, relative to the folder of the case file when it was added; empty on another drive.
    series_uid : str
        Which series of a folder (`ScanFacts.series_key`); empty for other files.
    accept : tuple of str
        Codes of the warnings of its import that were agreed to.
    sha256 : str
        Digest of its grid and voxels (`Volume.digest`).
    modality, description, acquired_on : str
        As in its header; empty where that says nothing.
    agreed : tuple of str
        What differs from the first image and was agreed to, in sentences; empty when both state one frame of
        reference.
    """

    path: str
    from_case: str = ""
    series_uid: str = ""
    accept: tuple[str, ...] = ()
    sha256: str
    modality: str = ""
    description: str = ""
    acquired_on: str = ""
    agreed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the views call it, such as ``MR T2 tra``."""
        return image_name(self.modality, self.description)

    @property
    def file_name(self) -> str:
        """Last part of the path."""
        return PurePath(self.path).name

    @property
    def registration(self) -> str:
        """How it came to lie where it is shown, in a sentence."""
        if self.agreed:
            return (
                "It is shown at the place that its own header states, and the user agreed to that although "
                + " ".join(_as_part(text) for text in self.agreed)
                + " Nothing was registered by cryoplan."
            )
        return (
            "It lies in the frame of reference of the first image, as both headers state; nothing was "
            "registered by cryoplan."
        )

    def findings(self, name: str = "") -> tuple[Finding, ...]:
        """Return what has to be said of it wherever the plan is judged: the consent.

        Parameters
        ----------
        name : str
            What it is called there; its own name when left out, which is free text of a header.
        """
        if not self.agreed:
            return ()
        text = f"Second image {name or self.name}: agreed to although {' '.join(map(_as_part, self.agreed))}"
        return (Finding(level=Level.WARN, code=CONSENT_CODE, text=text, place="second image"),)

    def to_json(self) -> dict[str, Any]:
        """Return what a case file keeps."""
        made = asdict(self)
        return made | {"accept": list(self.accept), "agreed": list(self.agreed)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return what a case file kept.

        Raises
        ------
        ValueError, TypeError
            If it does not fit together.
        """
        known = {f.name for f in fields(cls)}
        if not isinstance(value, dict) or not value.keys() <= known:
            raise ValueError("the second image is described in an unknown way")
        lists = {name: tuple(str(v) for v in value.get(name, ())) for name in ("accept", "agreed")}
        return cls(**{name: str(text) for name, text in value.items() if name not in lists} | lists)  # type: ignore[arg-type]


def image_name(modality: str, description: str) -> str:
    """Return a short name of an image: its modality and its series' description."""
    words = description.strip()
    if modality and not words.upper().startswith(modality.upper()):
        words = f"{modality} {words}".strip()
    if len(words) > SHORT_NAME:
        words = words[: SHORT_NAME - 1].rstrip() + "…"
    return words or "image"


def _as_part(sentence: str) -> str:
    """Return a sentence as the end of another one."""
    return sentence[:1].lower() + sentence[1:]
