"""The shapes of the networks, in one place: pretrain.py, finetune.py, gate.py and export.py agree on them."""
SHAPE = {"width": 192, "layers": 6, "heads": 3, "inner": 512}
EXIT = 2                     # layers after which a window may be let go
GENERATOR = {"width": 96, "layers": 2, "heads": 3, "inner": 288}
NAME = "vedette-shield"
WINDOW, STRIDE = 128, 96     # tokens of a window with the role, and from window to window, as the product reads
GATE_BITS = 20
STANDS = 0.949               # a rule score that stands whatever the model says (SURE in src/engine/scan.c)
RULES = (2.0, 2.0)           # logits that a rule score of 1 is worth, by role: chosen on the texts kept out (model/EXPERIMENTS.md)
GATE_BOXES = (8, 32)         # src/model/gate.h
GATE_REACH, WITNESS_REACH = 2, 1  # with how many tokens behind it each one is paired
SHARE = (3 / 7, 0.35)        # of the witness in its mean with the encoder, by role: chosen as RULES
LETTERS_BITS, LETTERS_SHARE = 20, 0.3  # src/model/letters.h; of letters in the logit of a prompt's window; the mean above has the rest
