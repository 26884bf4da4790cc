"""The palettes as their authors publish them. What the sidebar makes of one, and that it can be read, is in `themes`.

`background` is what the palette's own editor or terminal themes give to panels beside the text, where they tell
them from it; `surface` is what lies under a selected line.
"""

from __future__ import annotations

from collections.abc import Mapping

COLUMNS = ("background", "surface", "text", "subtext", "overlay",
           "accent", "blue", "yellow", "red", "green", "cyan")  # fmt: skip
"""What a palette names: two grounds, three weights of text, six colours. Users' palettes use the same names."""

TABLE = """
catppuccin-latte     e6e9ef ccd0da  4c4f69 6c6f85 8c8fa1  8839ef 1e66f5 df8e1d d20f39 40a02b 04a5e5
catppuccin-frappe    292c3c 414559  c6d0f5 a5adce 838ba7  ca9ee6 8caaee e5c890 e78284 a6d189 99d1db
catppuccin-macchiato 1e2030 363a4f  cad3f5 a5adcb 8087a2  c6a0f6 8aadf4 eed49f ed8796 a6da95 91d7e3
catppuccin-mocha     181825 313244  cdd6f4 a6adc8 7f849c  cba6f7 89b4fa f9e2af f38ba8 a6e3a1 89dceb
tokyo-night          16161e 292e42  c0caf5 a9b1d6 565f89  bb9af7 7aa2f7 e0af68 f7768e 9ece6a 7dcfff
tokyo-night-storm    1f2335 292e42  c0caf5 a9b1d6 565f89  bb9af7 7aa2f7 e0af68 f7768e 9ece6a 7dcfff
tokyo-night-day      d0d5e3 c4c8da  3760bf 6172b0 848cb5  9854f1 2e7de9 8c6c3e f52a65 587539 007197
gruvbox-dark         282828 3c3836  ebdbb2 bdae93 928374  d3869b 83a598 fabd2f fb4934 b8bb26 8ec07c
gruvbox-light        fbf1c7 ebdbb2  3c3836 665c54 928374  8f3f71 076678 b57614 9d0006 79740e 427b58
nord                 2e3440 3b4252  eceff4 d8dee9 4c566a  b48ead 81a1c1 ebcb8b bf616a a3be8c 88c0d0
dracula              282a36 44475a  f8f8f2 bfbfbf 6272a4  ff79c6 bd93f9 f1fa8c ff5555 50fa7b 8be9fd
rose-pine            191724 26233a  e0def4 908caa 6e6a86  c4a7e7 9ccfd8 f6c177 eb6f92 31748f ebbcba
rose-pine-moon       232136 393552  e0def4 908caa 6e6a86  c4a7e7 9ccfd8 f6c177 eb6f92 3e8fb0 ea9a97
rose-pine-dawn       faf4ed f2e9e1  575279 797593 9893a5  907aa9 56949f ea9d34 b4637a 286983 d7827e
everforest-dark      2d353b 3d484d  d3c6aa 9da9a0 859289  d699b6 7fbbb3 dbbc7f e67e80 a7c080 83c092
everforest-light     fdf6e3 efebd4  5c6a72 829181 939f91  df69ba 3a94c5 dfa000 f85552 8da101 35a77c
kanagawa-wave        1f1f28 363646  dcd7ba c8c093 727169  957fb8 7e9cd8 e6c384 e46876 98bb6c 7fb4ca
kanagawa-dragon      181616 393836  c5c9c5 a6a69c 737c73  8992a7 8ba4b0 c4b28a c4746e 8a9a7b 8ea4a2
kanagawa-lotus       f2ecbc e4d794  545464 716e61 8a8980  624c83 4d699b 77713f c84053 6f894e 4e8ca2
one-dark             282c34 3e4451  abb2bf 828997 5c6370  c678dd 61afef e5c07b e06c75 98c379 56b6c2
solarized-dark       002b36 073642  93a1a1 839496 586e75  6c71c4 268bd2 b58900 dc322f 859900 2aa198
solarized-light      fdf6e3 eee8d5  586e75 657b83 93a1a1  6c71c4 268bd2 b58900 dc322f 859900 2aa198
github-dark          0d1117 161b22  c9d1d9 8b949e 6e7681  a371f7 58a6ff d29922 f85149 3fb950 39c5cf
github-light         ffffff f6f8fa  24292f 57606a 6e7781  8250df 0969da 9a6700 cf222e 1a7f37 1b7c83
high-contrast-dark   000000 333333  ffffff e6e6e6 bfbfbf  ffb3ff 99ccff ffff66 ff9999 66ff66 66ffff
high-contrast-light  ffffff d9d9d9  000000 1a1a1a 404040  6a00a8 0033b3 6b4a00 a30000 005c12 00525e
"""
"""Name, then a colour for each of COLUMNS. Rose Pine has no green: pine, foam and rose stand where the terminal themes
of its authors put them. The two of high contrast are ours."""

PALETTES: Mapping[str, Mapping[str, str]] = {
    name: dict(zip(COLUMNS, (f"#{colour}" for colour in colours), strict=True))
    for name, *colours in (line.split() for line in TABLE.strip().splitlines())
}
