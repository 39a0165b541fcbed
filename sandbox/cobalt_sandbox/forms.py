"""What may be sent in a form: the models of multipart/form-data, and the files in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError, WithJsonSchema

from cobalt_sandbox.validation import FIRST_FIELD, refusal


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form. ``content_type`` is what its sender calls it, if anything."""

    filename: str
    content_type: str | None
    content: bytes

    def __bool__(self) -> bool:
        """A file has a name and some bytes; where none was chosen, a browser sends neither."""
        return bool(self.filename and self.content)


File = Annotated[InstanceOf[Upload], WithJsonSchema({"type": "string", "format": "binary"})]


class Form(BaseModel):
    """The parts of multipart/form-data. Names, wording and order as for a body; an empty text or file counts as absent."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    wording: ClassVar[str] = FIRST_FIELD
    complains: ClassVar[tuple[str, ...]] = ()
    #: The parts that are files. A text where a file belongs counts as absent, and the reverse.
    files: ClassVar[frozenset[str]]

    def __init_subclass__(cls, *, files: tuple[str, ...], **config: Any) -> None:
        super().__init_subclass__(**config)
        cls.files = frozenset(files)

    @classmethod
    def read(cls, parts: Mapping[str, str | Upload]) -> Self:
        """The form, or a refusal."""
        given = {name: part for name, part in parts.items() if part and isinstance(part, Upload) == (name in cls.files)}
        try:
            form: Self = cls.__pydantic_validator__.validate_python(given)
        except ValidationError as error:
            raise refusal(cls, error.errors(include_url=False)) from None
        return form
