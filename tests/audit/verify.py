#!/usr/bin/env python3
"""Verifies an export of the audit journal as docs/audit.md describes it, without libdmsc.

usage: verify.py EXPORT [--key HEX]... [--head HEX]
Prints "ok FIRST LAST HEAD", or "record N: what" and ends with 1.
"""

import argparse
import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

FORM = re.compile(
    rb'\{"seq":(0|[1-9][0-9]*),"prev":"([0-9a-f]{64})","time":-?(?:0|[1-9][0-9]*),"kind":"([a-z-]*)"(.*)\}',
    re.DOTALL,
)
SEAL = re.compile(
    rb'(?:,"key":"([0-9a-f]{64})"|,"alg":"ecdsa-p256","key":"([0-9a-f]{66})"),"sig":"([0-9a-f]{128})"'
)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Broken(Exception):
    pass


def broken(seq, what):
    raise Broken(f"record {seq}: {what}")


def read(export):
    records = []
    for number, line in enumerate(export.split(b"\n")[:-1]):
        found = FORM.fullmatch(line)
        seq = records[-1][0] + 1 if records else (int(found[1]) if found else 1)
        if not found or int(found[1]) != seq:
            broken(seq, "missing, or not in the form of a record")
        json.loads(line)
        records.append((seq, found[2].decode(), found[3], found[4], line))
    if not records or not export.endswith(b"\n"):
        broken(records[-1][0] + 1 if records else 1, "the export has no end")
    return records


def check_start(records):
    seq, prev, kind, _, _ = records[0]
    if seq == 1:
        good = prev == "0" * 64 and kind == b"start"
    else:
        rest = f',"first":{seq},"before":"{prev}"'.encode()
        good = any(record[2] == b"checkpoint" and record[3] == rest for record in records)
    if not good:
        broken(seq, "records before it are missing")


def check_p256(key, signature, signed):
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    if s > P256_ORDER // 2:
        raise ValueError("not the lower s")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


def check_seal(seq, rest, line, keys):
    seal = SEAL.fullmatch(rest)
    if not seal:
        broken(seq, "not in the form of a seal")
    key = (seal[1] or seal[2]).decode()
    if keys and key not in keys:
        broken(seq, "signed with another key")
    signed = b"dmsc-audit-1\n" + line[: line.rindex(b',"sig":"')]
    signature = bytes.fromhex(seal[3].decode())
    try:
        if seal[1]:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, signed)
        else:
            check_p256(bytes.fromhex(key), signature, signed)
    except (InvalidSignature, ValueError):
        broken(seq, "its signature is wrong")


def verify(export, keys, head):
    records = read(export)
    check_start(records)
    hashes = [hashlib.sha256(record[4]).hexdigest() for record in records]
    for record, before in zip(records[1:], hashes):
        if record[1] != before:
            broken(record[0] - 1, "its hash is not the one that the next record names")
    proved = 0
    for seq, _, kind, rest, line in records:
        if kind == b"seal":
            check_seal(seq, rest, line, keys)
            proved = seq
    if head:
        if head not in hashes:
            broken(records[-1][0] + 1, "missing: no record has the head hash")
        proved = max(proved, records[0][0] + hashes.index(head))
    if proved < records[-1][0]:
        broken(proved + 1, "not signed")
    return records[0][0], records[-1][0], hashes[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("export")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--head")
    arguments = parser.parse_args()
    with open(arguments.export, "rb") as file:
        export = file.read()
    try:
        print("ok", *verify(export, arguments.key, arguments.head))
    except (Broken, ValueError) as fault:
        print(fault)
        sys.exit(1)


if __name__ == "__main__":
    main()
