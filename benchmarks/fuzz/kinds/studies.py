"""Studies: JSON that is spoilt, Python that ends in every way but well."""

from __future__ import annotations

import json
from random import Random

from .. import hostile
from ..ground import Attack, Ground

SOUND = {
    "name": "s",
    "recipe": "mlp-digits",
    "set": {"images": 64, "system.g_hidden": [8], "system.d_hidden": [8]},
    "vary": {"adam_d.lr": [0.0001, 0.0002]},
    "variants": {"plain": {}, "hinge": {"objective": "Hinge"}},
    "seeds": [0, 1],
    "evaluate": {"extractor": "digits", "measures": ["fid"], "fakes": 64},
}
PYTHON = (
    "study = 5",
    "study = None",
    "",
    "study = (",
    "import nowhere",
    "raise SystemExit",
    "raise SystemExit('bye')",
    "raise SystemExit(0)",
    "raise BaseException('x')",
    "raise GeneratorExit",
    "import sys; sys.exit(7)",
    "def f(): f()\nf()",
    "raise RuntimeError('\\x1b[31mred\\n" + "INJECTED line')",
    "raise RuntimeError('')",
    "class E(Exception):\n    def __str__(self): raise ValueError('no text')\nraise E",
    "study = [1] * 10**12",
    "\0",
    "\xa0\xe9",
    "# coding: nowhere\nstudy = 1",
    "import ganvas\nstudy = ganvas.Study(recipe=5)",
    "import ganvas\nstudy = ganvas.Study(recipe=ganvas.recipe('mlp-digits'), seeds='ab')",
    "import ganvas\nstudy = ganvas.Study()",
    "import ganvas\nstudy = ganvas.Study",
    "import ganvas\nraise ganvas.errors.InputError('x\\ny')",
    "study = 5",
    "assert False",
    "raise OSError(2, 'x')",
    "open('missing')",
    "raise StopIteration",
    "raise MemoryError",
    "raise UnicodeDecodeError('utf-8', b'', 0, 1, 'x')",
)


def make(ground: Ground, chance: Random) -> Attack:
    """Write a study, then estimate its time or start it."""
    dry = ["--dry-run"]
    if chance.random() < 0.35:
        text = chance.choice(PYTHON)
        return Attack(f"a study in Python: {text!r}", ["study", ground.write("s.py", text), *dry])
    if chance.random() < 0.2:
        pairs = [
            chance.choice(
                (f"{hostile.word(chance)}={hostile.word(chance)}", f"images={chance.choice(hostile.NUMBERS)}", "a")
            )
            for _ in range(2)
        ]
        return Attack(f"--set {pairs!r}", ["study", chance.choice(("modes", "strategies")), *dry, "--set", *pairs])
    tree = json.loads(json.dumps(SOUND))
    if chance.random() < 0.4:
        key = chance.choice([*SOUND])
        tree[key] = hostile.odd(chance)
        return Attack(
            f"a study whose {key} is {tree[key]!r:.80}", ["study", ground.write("s.json", hostile.dumps(tree)), *dry]
        )
    return Attack("a study of spoilt JSON", ["study", ground.write("s.json", hostile.json_text(chance, tree)), *dry])
