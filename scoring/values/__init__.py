"""Single values of a cell made typed: text, codes, phones, mail, domains, times, money, places, words.

Each parser takes the distinct values of a column and gives one row per value: `value` first, `rule` last; `rule` is
null where the value was fine and names what was mended or refused otherwise (see actions.yaml).
"""
