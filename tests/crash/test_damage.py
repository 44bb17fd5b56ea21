"""`verify --all` names what was done to a lake, exactly that, and in every version that it was done to."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

import pytest

from lake.lakefs.repository import MAIN
from lake.maintenance import known_versions, verify
from lake.session import Session
from lake.versions.publish import manifest_at
from lakegate.manifest import Manifest
from lakegate.names import VersionName
from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene

pytestmark = pytest.mark.server

TRIES = int(os.environ.get("LAKEGATE_DAMAGE_TRIES", "18"))
"""100 by hand."""
SEED = int(os.environ.get("LAKEGATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

Undo = Callable[[], object]
Found = set[tuple[str, str, str]]
"""Version, path (or ref) and problem of each gap."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene.made(tmp_path_factory.mktemp("damage") / "scene")
    made.run(
        "ingest",
        "rides",
        *[made.drop(f"{number}.csv", range(1 + 50 * number, 51 + 50 * number)) for number in range(4)],
    )
    made.run(
        "ingest", "rates", *[made.drop(f"rates{number}.csv", range(1, 10 + number)) for number in range(3)]
    )
    yield made
    made.close()


class Damager:
    """Does one thing to a lake, says what must be found, and how to undo it."""

    def __init__(self, session: Session, chance: random.Random) -> None:
        self.session, self.chance = session, chance
        self.names = sorted(known_versions.published_names(session))
        self.manifests = {name: manifest_at(session.repository, name.tag, name) for name in self.names}

    def file(self) -> tuple[Manifest, int]:
        manifest = self.chance.choice([item for item in self.manifests.values() if item.all_files])
        return manifest, self.chance.randrange(len(manifest.all_files))

    def everywhere(self, path: str, problem: str) -> Found:
        """A file is part of every version that names it."""
        return {
            (str(name), path, problem)
            for name, item in self.manifests.items()
            if any(file.path == path for file in item.all_files)
        }

    def flip(self) -> tuple[Found, Undo]:
        manifest, index = self.file()
        file = manifest.all_files[index]
        block = self.session.settings.home.blocks / file.physical
        whole, at = block.read_bytes(), self.chance.randrange(file.size)
        block.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << self.chance.randrange(8)]) + whole[at + 1 :])
        return self.everywhere(file.path, "sha256"), lambda: block.write_bytes(whole)

    def remove(self) -> tuple[Found, Undo]:
        manifest, index = self.file()
        file = manifest.all_files[index]
        block = self.session.settings.home.blocks / file.physical
        whole = block.read_bytes()
        block.unlink()
        return self.everywhere(file.path, "missing"), lambda: block.write_bytes(whole)

    def add(self) -> tuple[Found, Undo]:
        repository, path = (
            self.session.repository,
            f"processed/rides/part-{self.chance.randrange(10**9)}.parquet",
        )
        repository.branch("intruder", MAIN)
        repository.put("intruder", path, b"PAR1")
        repository.commit("intruder", "an addition", {})
        repository.merge("intruder", "an addition", {})
        repository.delete_branch("intruder")

        def undo() -> None:
            repository.branch("intruder", MAIN)
            repository.delete("intruder", path)
            repository.commit("intruder", "its end", {})
            repository.merge("intruder", "its end", {})
            repository.delete_branch("intruder")

        return {(MAIN, path, "unexpected")}, undo

    def delete(self) -> tuple[Found, Undo]:
        name = self.chance.choice(self.names)
        commit = self._untag(name)
        return {(str(name), f"tag {name.tag}", "missing")}, lambda: self.session.repository.tag(
            name.tag, commit
        )

    def move(self) -> tuple[Found, Undo]:
        name = self.chance.choice(self.names)
        commit = self._untag(name)
        others = [self.session.repository.commit_of(other.tag) for other in self.names if other != name]
        self.session.repository.tag(name.tag, self.chance.choice(others))

        def undo() -> None:
            self._untag(name)
            self.session.repository.tag(name.tag, commit)

        return {(str(name), f"tag {name.tag}", "unexpected")}, undo

    def _untag(self, name: VersionName) -> str:
        repository = self.session.repository
        commit = repository.commit_of(name.tag)
        repository._api.tags_api.delete_tag(repository.name, name.tag)
        return commit


def test_each_damage_is_named_exactly(scene: Scene, tried: Tried) -> None:
    session, chance = scene.open(), random.Random(SEED)
    assert not any(verify.audit_all(session).values())
    for number in range(TRIES):
        damager = Damager(session, chance)
        kind = (damager.flip, damager.remove, damager.add, damager.delete, damager.move)[number % 5]
        wanted, undo = kind()
        found = {
            (gap.version, gap.path, gap.problem)
            for gaps in verify.audit_all(session).values()
            for gap in gaps
        }
        undo()
        named = {item for item in found if item in wanted}
        # A tag on another commit shows another tree, so that more is wrong there than the tag;
        # nothing is elsewhere.
        others = {
            item
            for item in found - wanted
            if not (kind == damager.move and item[0] in {version for version, _, _ in wanted})
        }
        assert named == wanted, f"seed {SEED}, try {number}, {kind.__name__}"
        assert others == set(), f"seed {SEED}, try {number}, {kind.__name__}"
    assert not any(verify.audit_all(session).values())
    tried(
        "P4 named for good",
        "a byte is flipped, a file removed or added, a tag deleted or moved: `verify --all` "
        "names it, and nothing else",
        TRIES,
    )
