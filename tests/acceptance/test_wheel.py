"""What is packed walks the road in a fresh venv: the wheel, and the wheel built from the sdist."""

import json
import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command, cwd=ROOT, **env):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build sdist → wheel without leaving what git does not track behind."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", out)
    sdist = next(out.glob("*.tar.gz"))
    unpacked = tmp_path_factory.mktemp("sdist")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
        archive.extractall(unpacked)
    assert not [name for name in names if "instance/" in name or name.endswith((".pem", ".db"))]
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, cwd=next(unpacked.iterdir()))
    return next(out.glob("*.whl"))


@pytest.mark.long
def test_the_wheel_walks_the_road_in_a_fresh_venv(wheel, tmp_path):
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = next(home.glob("lib/python*/site-packages"))
    run(sys.executable, "-m", "zipfile", "-e", wheel, site)
    # Third-party packages come from this environment, ours from the wheel: its folder stands first on the path.
    ours = next(Path(sys.executable).parents[1].glob("lib/python*/site-packages"))
    (site / "third-party.pth").write_text(str(ours) + "\n")
    env = {"APPROVAL_INSTANCE": str(tmp_path / "instance"), "PYTHONPATH": str(site)}
    where = run(python, "-c", "import approval.paths as p; print(p.ROOT)", cwd=tmp_path, **env)
    assert where.strip() == str(site / "approval" / "_shipped")
    told = run(python, "-m", "approval", "dev", "--no-serve", cwd=tmp_path, **env)
    assert "VALID" in told
    pdf = next((tmp_path / "instance").glob("JY*.pdf"))
    answer = json.loads(run(python, "-m", "approval", "verify", pdf, "--json", cwd=tmp_path, **env))
    assert answer["outcome"] == "valid"
    page = "from approval import create_app; r = create_app().test_client().get('/'); print(r.status_code, len(r.data))"
    assert run(python, "-c", page, cwd=tmp_path, **env).startswith("200 ")
