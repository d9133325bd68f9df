#!/usr/bin/env python3
"""Numbers of persons and accounts against a reference library's verdicts.

    tests/bench/identifiers.py --vedette build/src/cli/vedette DATA/pii

Every bare number of a kind that `check: identifier` knows is put behind that kind's name and scanned; a valid one must be found and an invalid
one must not. Prints a line per kind; the exit status is 1 when one differs that KNOWN does not explain."""
import argparse, glob, json, lzma, os, re, subprocess, sys, tempfile

# the library's module: rule, name
KINDS = {"ar.cbu": ("ar-cbu", "cbu"), "ar.cuit": ("ar-cuit", "cuit"), "ar.dni": ("ar-dni", "dni"), "at.tin": ("at-tin", "steuernummer"),
         "at.uid": ("eu-vat", "uid"), "at.vnr": ("at-svnr", "svnr"), "au.abn": ("au-abn", "abn"), "au.acn": ("au-acn", "acn"), "au.tfn": ("au-tfn", "tfn"),
         "be.bis": ("be-nn", "national number"), "be.nn": ("be-nn", "national number"), "bg.egn": ("bg-egn", "egn"),
         "br.cnpj": ("br-cnpj", "cnpj"), "br.cpf": ("br-cpf", "cpf"), "ca.bc_phn": ("ca-bc-phn", "phn"), "ca.bn": ("ca-bn", "business number"),
         "ca.sin": ("ca-sin", "social insurance number"), "ch.ssn": ("ch-ahv", "ahv"), "ch.uid": ("ch-uid", "uid"), "cl.rut": ("cl-rut", "rut"),
         "cn.ric": ("cn-ric", "resident id"), "cn.uscc": ("cn-uscc", "uscc"), "co.nit": ("co-nit", "nit"), "cy.vat": ("cy-tin", "tic"),
         "cz.rc": ("cz-rc", "rodne cislo"), "de.idnr": ("de-idnr", "idnr"), "de.vat": ("eu-vat", "ust id"), "dk.cpr": ("dk-cpr", "cpr"),
         "do.cedula": ("do-cedula", "cedula"), "ee.ik": ("ee-ik", "isikukood"), "ee.kmkr": ("eu-vat", "kmkr"), "es.ccc": ("es-ccc", "ccc"),
         "es.cif": ("es-cif", "cif"), "es.dni": ("es-dni", "dni"), "es.iban": ("iban", "iban"), "es.nie": ("es-nie", "nie"), "eu.vat": ("eu-vat", "vat"),
         "fi.alv": ("eu-vat", "alv"), "fi.hetu": ("fi-hetu", "hetu"), "fr.nir": ("fr-nir", "nir"), "fr.siren": ("fr-siren", "siren"),
         "fr.siret": ("fr-siret", "siret"), "fr.tva": ("eu-vat", "tva"), "gb.nhs": ("gb-nhs", "nhs number"), "gb.utr": ("gb-utr", "utr"),
         "gb.vat": ("gb-vat", "vat reg"), "gr.amka": ("gr-amka", "amka"), "gr.vat": ("gr-afm", "afm"), "hr.oib": ("hr-oib", "oib"),
         "hu.anum": ("eu-vat", "adoszam"), "iban": ("iban", "iban"), "id.nik": ("id-nik", "nik"), "id.npwp": ("id-npwp", "npwp"), "ie.pps": ("ie-pps", "pps no"),
         "il.idnr": ("il-id", "israeli id"), "imei": ("imei", "imei"), "imsi": ("imsi", "imsi"), "in_.aadhaar": ("in-aadhaar", "aadhaar"),
         "in_.gstin": ("in-gstin", "gstin"), "in_.pan": ("in-pan", "pan card"), "is_.kennitala": ("is-kt", "kennitala"), "isin": ("isin", "isin"),
         "it.codicefiscale": ("it-cf", "codice fiscale"), "it.iva": ("it-piva", "partita iva"), "jp.cn": ("jp-corporate", "corporate number"),
         "jp.in_": ("jp-number", "my number"), "kr.brn": ("kr-brn", "brn"), "kr.rrn": ("kr-rrn", "rrn"), "lei": ("lei", "lei"), "lt.asmens": ("lt-ak", "asmens kodas"),
         "lt.pvm": ("eu-vat", "pvm"), "lv.pvn": ("lv-pk", "personas kods"), "mk.edb": ("mk-edb", "edb"), "mt.vat": ("eu-vat", "vat"), "mx.curp": ("mx-curp", "curp"),
         "mx.rfc": ("mx-rfc", "rfc"), "my.nric": ("my-nric", "mykad"), "nl.bsn": ("nl-bsn", "bsn"), "no.fodselsnummer": ("no-fnr", "fodselsnummer"),
         "no.iban": ("iban", "iban"), "no.kontonr": ("no-account", "kontonummer"), "no.orgnr": ("no-orgnr", "organisasjonsnummer"), "nz.ird": ("nz-ird", "ird number"),
         "pe.ruc": ("pe-ruc", "ruc"), "pk.cnic": ("pk-cnic", "cnic"), "pl.nip": ("pl-nip", "numer nip"), "pl.pesel": ("pl-pesel", "pesel"),
         "pl.regon": ("pl-regon", "regon"), "pt.nif": ("pt-nif", "nif"), "ro.cnp": ("ro-cnp", "cnp"), "ro.cui": ("ro-cui", "cui"), "ru.inn": ("ru-inn", "inn"),
         "se.orgnr": ("se-orgnr", "organisationsnummer"), "se.personnummer": ("se-pn", "personnummer"), "sg.nric": ("sg-nric", "nric"), "si.ddv": ("si-tin", "davcna"),
         "sv.nit": ("sv-nit", "nit"), "th.pin": ("th-pin", "thai id"), "tr.tckimlik": ("tr-tckn", "tckn"), "ua.rntrc": ("ua-rntrc", "rntrc"),
         "us.ein": ("us-ein", "ein"), "us.itin": ("us-itin", "itin"), "us.rtn": ("us-aba", "routing number"), "us.ssn": ("us-ssn", "ssn"),
         "vn.mst": ("vn-cccd", "cccd"), "za.idnr": ("za-id", "south african id")}
# Judged otherwise for a reason: the library's list of cards whose checksum is wrong; no checksum in the library; a VAT number without its
# country, or of a country outside the EU's list; another kind's name in the sentence; signs that the issuer does not write.
KNOWN = {"do.cedula", "kr.brn"}
VAT = {"at.uid", "cy.vat", "de.vat", "ee.kmkr", "eu.vat", "fi.alv", "fr.tva", "gr.vat", "hu.anum", "lt.pvm", "lv.pvn", "mt.vat", "pt.nif", "ro.cui"}
# Rows for the same numbers without their country.
LOCAL = {"ee.kmkr": "ee-kmkr", "lt.pvm": "lt-pvm", "lv.pvn": "lv-pvn", "fr.tva": "fr-tva", "fi.alv": "fi-alv", "de.vat": "de-ustid"}
CONFIG = """workspaces: [{name: w}]
policies: [{name: p, sensitive: {response: detect, minimum_confidence: 10}}]
deployments: [{name: d, workspace: w, upstream: simulated, policy: p}]
"""


def numbers(folder):
    """(kind, number, valid) of the rows whose text is a number and nothing else."""
    for path in sorted(glob.glob(os.path.join(folder, "*.jsonl.xz"))):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                text = row["text"].strip()
                if row.get("under_test") in KINDS and row.get("valid") is not None and not text.startswith("My "):
                    yield row["under_test"], text, row["valid"]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--vedette", required=True)
    args.add_argument("--quiet", action="store_true", help="no line for each number that is judged otherwise")
    args.add_argument("folder")
    args = args.parse_args()
    rows = list(numbers(args.folder))
    asked = "".join(json.dumps({"id": i, "text": f"{KINDS[k][1]}: {t}"}) + "\n" for i, (k, t, _) in enumerate(rows))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(CONFIG)
        f.flush()
        out = subprocess.run([args.vedette, "scan", "--config", f.name, "--as", "response", "--only", "sensitive"], input=asked, capture_output=True, text=True).stdout
    found = {a["id"]: {f["kind"] for f in a["findings"]} for a in map(json.loads, out.splitlines())}
    right = {(KINDS[k][0], t) for k, t, v in rows if v}
    bad = 0
    print("kind              valid found  invalid found")
    for kind in sorted({k for k, _, _ in rows}):
        rules = {KINDS[kind][0]} | ({"eu-vat", LOCAL.get(kind)} if kind in VAT else set())
        mine = [(bool(rules & found[i]), t, (KINDS[kind][0], t) in right) for i, (k, t, v) in enumerate(rows) if k == kind]
        good, wrong = [m for m in mine if m[2]], [m for m in mine if not m[2]]
        print(f"{kind:16} {len(good):6} {sum(m[0] for m in good):5} {len(wrong):8} {sum(m[0] for m in wrong):5}")
        for hit, text, valid in mine:
            country = kind not in VAT or re.search(r"\b[A-Z]{2}", text)
            if hit != valid and kind not in KNOWN and country:
                bad += 1
                if not args.quiet:
                    print(f"    {'missed' if valid else 'found'}: {text!r}")
    print(f"{len(rows)} numbers, {bad} judged otherwise than the library does")
    return 1 if bad or not rows else 0


sys.exit(main())
