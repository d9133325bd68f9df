#!/usr/bin/python3
"""Prints the table of model/data/README.md."""
from text import ROOT, read_rows

WHAT = {
    "agents_and_bare": "single orders as they are smuggled into documents, tool results and descriptions; prompts that use the words of attacks harmlessly",
    "documents2": "mails, tables, pages, code and logs, clean and with an order inside",
    "documents3": "documents without an addressee, bare orders, availability, fraud and malware; clean ones as imperative as the attacked",
    "documents4": "tool results, bare orders, short texts of every form and their harmless twins; nineteen languages",
    "documents5": "mails, tables, pages, code, logs, tool results with a covert order or imperatives for people; twenty-five languages",
    "everyday": "plain orders and ordinary prompts as in the logs of public chatbots",
    "fiction_and_personas": "personas, stories, pretexts; plain questions; English and Chinese mostly",
    "fiction2": "personas, worlds, games, pretexts and programs that are played, without the famous words; twenty-three languages",
    "languages": "seventy languages, direct attacks and documents",
    "languages2": "direct attacks and twins in Chinese, Japanese, Korean and Arabic",
    "languages3": "direct attacks in forty-one languages and ordinary prompts with their verbs and nouns",
    "prompts3": "short dull attacks, prompts with the words of attacks, secrets, pretexts, false turns; forty-two languages",
    "prompts4": "stories, personas and games; very short attacks and riddles for a secret; thirty-five languages, with ordinary prompts without twins",
    "secrets_and_switches": "games for a secret, asking for the hidden prompt, tasks that turn; seven European languages",
    "short2": "short attacks of players and testers: secrets, hidden text, forced answers, tasks that turn, false delimiters; twenty languages",
}
total = [0, 0]
for path in sorted((ROOT / "model/data").glob("*.jsonl")):
    rows = list(read_rows(path))
    attacks = sum(r["label"] == "attack" for r in rows)
    total[0] += attacks
    total[1] += len(rows) - attacks
    print(f"| `{path.stem}` | {attacks:,} | {len(rows) - attacks:,} | {WHAT[path.stem]} |")
print(f"| all | {total[0]:,} | {total[1]:,} | |")
