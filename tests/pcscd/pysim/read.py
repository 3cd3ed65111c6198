"""Reads the card in the first PC/SC reader with pySim, as a terminal would, and prints what it found.

Usage: read.py PYSIM, a checkout of pySim whose requirements are installed. Each line is a name and a value.
"""

import argparse
import sys

sys.path.insert(0, sys.argv[1])

from osmocom.utils import h2b  # noqa: E402
from pySim.app import init_card  # noqa: E402
from pySim.cat import BufferSize, ChannelStatus, CommandDetails, Result, TimerIdentifier  # noqa: E402
from pySim.transport import ProactiveHandler, argparse_add_reader_args, init_reader  # noqa: E402

# The data of TERMINAL PROFILE: timers, events, channels for a server in the card.
PROFILE = "33E1EF43114F00074900009F420000001C40"
# File identifiers below the MF: the PKCS#15 directory, its ODF and DODF, and the bootstrap object.
PKCS15, FILES = "7f50", ["5031", "6430", "6433"]


class Terminal(ProactiveHandler):
    """Carries out what the card asks for at its start."""

    def receive_fetch_raw(self, pcmd, parsed):
        kind = type(parsed).__name__
        tell("proactive", kind)
        response = [one(parsed, CommandDetails), *terminal_to_card(parsed)]
        if kind == "OpenChannel":
            # Channel 1 listens.
            response += [made(ChannelStatus, "4100"), one(parsed, BufferSize)]
        elif kind == "TimerManagement":
            response.append(one(parsed, TimerIdentifier))
        return response


def terminal_to_card(parsed):
    devices = next(child for child in parsed.children if type(child).__name__ == "DeviceIdentities")
    devices.from_dict({"device_identities": {"source_dev_id": "terminal", "dest_dev_id": "uicc"}})
    return [devices, made(Result, "00")]


def one(parsed, kind):
    return next(child for child in parsed.children if isinstance(child, kind))


def made(kind, value):
    tlv = kind()
    tlv.from_bytes(h2b(value))
    return tlv


def tell(name, value):
    print(name, value.hex() if isinstance(value, bytes) else value)


def reader():
    parser = argparse.ArgumentParser()
    argparse_add_reader_args(parser)
    return init_reader(parser.parse_args(["-p", "0"]), proactive_handler=Terminal())


def identity(state):
    lchan = state.lchan[0]
    lchan.select("MF")
    tell("iccid", (lchan.select("EF.ICCID"), lchan.read_binary_dec())[1][0]["iccid"])
    if state.profile.name != "SIM":
        lchan.select("EF.DIR")
        for number in range(1, lchan.selected_file_num_of_rec() + 1):
            for application in lchan.read_record_dec(number)[0]["application_template"]:
                for name, value in application.items():
                    tell(name, value)
    lchan.select("MF")
    lchan.select("DF.GSM" if state.profile.name == "SIM" else "ADF.USIM")
    tell("imsi", (lchan.select("EF.IMSI"), lchan.read_binary_dec())[1][0]["imsi"])


def bootstrap(state):
    lchan = state.lchan[0]
    for fid in FILES:
        for step in ["MF", PKCS15, fid]:
            lchan.select(step)
        tell(fid + "-header", f"{lchan.selected_file_structure()} {lchan.selected_file_size()}")
        tell(fid, lchan.read_binary()[0])


def main():
    link = reader()
    state, _ = init_card(link)
    tell("profile", state.profile.name)
    identity(state)
    bootstrap(state)
    if state.profile.name != "SIM":
        # pySim fetches in class 80 only.
        link.send_apdu_checksw("80100000%02x" % (len(PROFILE) // 2) + PROFILE)


main()
