"""Sidebars as data: keys and a snapshot in, bytes for a terminal out. Pure: no clock, socket or process.

The rooms, in the order in which things flow:

- what comes in, and what goes out: `keys`, `reports`; `intents`
- what a sidebar is made of: `scene`, `keymap`, `others`
- what it lists: `listing`, `entries`, `tree`, `lane`, `elsewhere`, `subject`
- what is done in it: `ui` hands on to `motion`, `mouse`, `going`, `folding`, `moving`, `acts`, `filtering`, `renaming`,
  `editing`, `picker`, `menu_acts`, `panel_acts`, and to the questions: `asking`, `confirm`, `permission`
- what is drawn: `view` puts together `lines` (`rows`, `branches`, `remarks`), `detail` (`facts`), `menu`, `messages`
- how: `frame`, `paint`; `text`, `flow`; `theme`, `themes`, `palettes`, `contrast`
"""
