"""A file system in a file: what tests of purges and expiry put a state folder on, to read afterwards every block of it, whatever file it belongs to or belonged to."""
import atexit, os, subprocess, sys, tempfile

BLOCK = 4096


def run(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as e:
        return subprocess.CompletedProcess(argv, 127, "", str(e))


class Image:
    """Mounted at .mount. Needs root and loop devices; without them the test says so and ends, skipped."""

    def __init__(self, megabytes):
        self.top = tempfile.mkdtemp(prefix="vedette-image-")
        os.chmod(self.top, 0o755)  # the gateway's workers are not root
        self.path, self.mount, self.mounted = os.path.join(self.top, "image"), os.path.join(self.top, "mnt"), False
        atexit.register(self.clean)
        os.mkdir(self.mount)
        with open(self.path, "wb") as f:
            f.truncate(megabytes << 20)
        made = run("mkfs.ext4", "-q", "-F", "-b", str(BLOCK), self.path)
        if made.returncode == 0:
            made = run("mount", "-o", "loop", self.path, self.mount)
            self.mounted = made.returncode == 0
        if not self.mounted:
            print("1..0 # SKIP no file system can be mounted here: " + (made.stderr.strip().split("\n")[-1] or "for a reason that is not said"))
            sys.exit(0)

    def blocks(self):
        """All blocks that hold something, as they are on the disk."""
        if self.mounted:
            run("sync", "-f", self.mount)
        with open(self.path, "rb") as f:
            while block := f.read(BLOCK):
                if block.strip(b"\0"):
                    yield block

    def unmount(self):
        """False when somebody still has a file of it open."""
        if self.mounted and run("umount", self.mount).returncode == 0:
            self.mounted = False
        return not self.mounted

    def clean(self):
        """Removes nothing as long as it is mounted but by its own name."""
        if not self.unmount():
            run("umount", "-l", self.mount)
        for path in (self.path, self.mount, self.top):
            try:
                os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
            except OSError:
                pass
