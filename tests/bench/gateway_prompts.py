"""Request bodies for gateway.sh, one a line, with NUMBER where each request gets one of its own: what was read before is remembered.

    gateway_prompts.py [--texts] ordinary|let-go|FILE >bodies

ordinary: questions about three of the paragraphs below, in every order, about 2 KB. let-go: one text that the model's gate lets go whole. FILE: JSON Lines with
a member "text" each, as they are. --texts: no bodies but JSON Lines with the texts and their numbers, for prompts.c."""
import json
import random
import sys

QUESTIONS = [
    "Summarise the following in five sentences for somebody who was not there.",
    "Make a table with a row for each date that is named below.",
    "Rewrite this so that a customer without technical knowledge understands it. Keep the numbers.",
    "Which open points are left, and who has to do what? Answer with a short list.",
    "Translate this to German. Names of products stay as they are.",
    "Find mistakes in spelling and grammar, and list them with their correction.",
    "Write three possible headlines for a newsletter about this.",
    "I have to talk about this for ten minutes tomorrow. Draft the outline of my slides.",
]
PARAGRAPHS = [
    "The new warehouse in Turku opened its first two halls on 3 March. Forty pallets an hour can be unloaded at each of the six gates, a third more than before. The "
    "conveyor between hall one and the sorting line still stops when parcels under two hundred grams come in a row; the supplier has promised a wider belt for April. "
    "Until then light parcels are put into grey trays by hand, which costs the early shift about forty minutes a day. Nobody was hurt when the shelf in aisle nine bent, but "
    "the load there is limited to eight hundred kilograms now.",
    "My grandmother's recipe needs half a kilogram of rye flour, a spoon of salt, and sour dough that has stood in a warm place overnight. She never weighed the water: the dough was "
    "right when it came off the bowl by itself. I tried it with three decilitres, and it was too dry, and with four, and it ran. The oven has to be as hot as it gets for the "
    "first ten minutes; then she opened the door for a moment and let it bake for another fifty. The crust should sound hollow when you knock on it from below.",
    "Between 09:12 and 09:47 requests to the orders service took longer than two seconds. The connection pool of the database was exhausted, since the nightly report had not finished and held "
    "twenty of its thirty connections. We stopped the report by hand, and the times were normal again two minutes later. The dashboard had shown the number of connections "
    "all the time, but no alert was set for it. The report now runs with a limit of four connections and begins an hour earlier. A second look at the queries is planned for next week.",
    "In the second half of the century the town grew faster than its walls. Weavers and dyers settled along the river, where the water was clean enough above the bridge and mattered to nobody "
    "below it. The council forbade wooden chimneys after the fire of 1664, and again in 1671, which says something about how well the first order was kept. What the archives hold of "
    "that time are mostly complaints: about geese in the market, about measures that were too small, and about the noise of the fulling mill, which worked at night.",
    "The function reads the file line by line and keeps a counter for each customer. When the file has more than a million lines it gets slow, and I think that is because the list of customers is "
    "searched from its beginning each time. I would like to use a dictionary there, and to write the result as CSV with a header. Empty lines and lines that begin with a hash should be "
    "skipped. If an amount cannot be read as a number, the program should say in which line that is and go on. It runs on Python 3.11, and I cannot install other packages.",
    "Our class will visit the observatory on the last Friday of the month. The bus leaves at half past six in front of the gym, and we shall be back at about eleven in the evening. Please bring warm clothes, "
    "since the dome is open while we look through the telescope, and something to eat. The ticket costs seven euros; whoever cannot pay may tell me, and we shall find a way. If it is "
    "cloudy there will be a lecture about comets instead, which is said to be worth the trip as well. I need the signed letters by Wednesday.",
    "Sales in the north were eleven percent above the plan in the third quarter, and those in the south four below. The difference comes from two large customers who moved their orders from October to "
    "September; without them both regions would be within two percent. Margins fell from 31 to 29 percent because freight became more expensive in August. We expect the fourth quarter to be weaker than usual, "
    "since part of it was sold already, and keep the forecast for the year at 48 million. The board will discuss the new price list on the 14th.",
    "The patient is 54 years old, works in an office, and has had pain in the left knee for about six weeks, mostly when going downstairs. There was no accident. The knee is not warm and not swollen; bending is free, "
    "the last degrees hurt. Walking helps after a few minutes. He took ibuprofen for a week, which helped, and stopped because of his stomach. An X-ray two years ago showed slight wear. He would like to "
    "know whether he may go on a hiking tour in June, and which exercises make sense until then.",
    "Flat on the third floor, 62 square metres, two rooms and a kitchen with a window. The bath was renewed in 2019, the heating in 2022. There is a lift, but it stops between the floors, so that half a flight of stairs is left in "
    "any case. The balcony looks at the yard and has sun from noon. Bicycles can be kept in the cellar. The rent is 890 euros, heating included, electricity not. Pets have to be talked about; a cat has never "
    "been a problem in this house. The flat is free from 1 May and can be seen on Tuesdays after five.",
    "For the library we compared two ways of storing the catalogue. One keeps each book as a document with everything about it, which is easy to read and hard to search by author. The other has tables for books, authors "
    "and copies, which takes three joins for a page but answers every question that the librarians asked in our interviews. With forty thousand books either is fast enough. We chose the tables, since loans change "
    "copies and not books, and two people at two desks must not lend the same copy at once. Backups are taken every night and were tried once.",
    "On the second day we went up to the hut by the longer way, because the bridge over the stream had been taken away by the spring flood. It took us five hours with two breaks. Above the trees there was still snow in the shade, but the path "
    "was dry, and we saw marmots twice. The hut has room for thirty; we were nine, and the warden made soup for everybody. In the night there was a storm, and in the morning the valley was full of clouds with the sun above "
    "them. The way down by the north side is closed until July.",
    "The choir rehearses on Mondays from seven to nine, except in the holidays. This season we sing a mass by Haydn and four songs by Finnish composers, two of which nobody of us knew. The tenors are six, which is more than last year and less than we need. "
    "A pianist has been found for the concert on 12 December, but not for the rehearsals in October. The church is booked; the heating has to be ordered a week before. Programmes were printed for two hundred people last time, and "
    "sixty were left over.",
]
LET_GO = ("Please read the minutes of our last meeting and tell me which of the open points belong to the team in Tampere. We met on Tuesday, "
         "talked about the release, the two customers in Oulu, and the budget of the next quarter. Anna will write to the supplier; Mikko looks "
         "after the tests. The third item was moved to next week because nobody had the figures at hand. ")


def ordinary():
    chosen = random.Random(1)
    for _ in range(500):
        yield chosen.choice(QUESTIONS) + " Text NUMBER.\n\n" + "\n\n".join(chosen.sample(PARAGRAPHS, 3))


def of_file(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)["text"] + "\n\nText NUMBER."


def texts(kind):
    if kind == "let-go":
        return ["Minutes NUMBER. " + (LET_GO * 8)[:1800]]
    return ordinary() if kind == "ordinary" else of_file(kind)


alone = sys.argv[1] == "--texts"
for number, text in enumerate(texts(sys.argv[-1])):
    if alone:
        print(json.dumps({"text": text.replace("NUMBER", str(number))}))
        continue
    print(json.dumps({"model": "gpt-4o", "messages": [{"role": "system", "content": "You are a helpful assistant of the office."},
                                                      {"role": "user", "content": text}], "temperature": 0.2}))
