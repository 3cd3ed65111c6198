#!/usr/bin/python3
"""An ISO 7816-4 card of vsmartcard (vicc) with a PKCS#15 structure, in a vpcd reader: vicc.py PORT

Debian's packages vsmartcard-vpicc, python3-virtualsmartcard and python3-pycryptodome. A program of its own,
which the tests only start: vsmartcard is under the GPL.
"""
import logging
import socket
import sys

sys.path.insert(0, "/usr/lib/python3/site-packages/virtualsmartcard")
sys.path.insert(0, "/usr/lib/python3/site-packages")
# Debian has the library under its other name.
import Cryptodome, Cryptodome.Cipher.DES, Cryptodome.Cipher.DES3, Cryptodome.Cipher.AES, Cryptodome.Cipher.ARC4
import Cryptodome.PublicKey, Cryptodome.Hash, Cryptodome.Util
for name, module in list(sys.modules.items()):
    if name.split(".")[0] == "Cryptodome":
        sys.modules["Crypto" + name[len("Cryptodome"):]] = module
from virtualsmartcard.SmartcardFilesystem import MF, DF, TransparentStructureEF, RecordStructureEF, Record
from virtualsmartcard.SmartcardSAM import SAM
import virtualsmartcard.CardGenerator as CG, virtualsmartcard.VirtualSmartcard as VS

# --- runtime fixes for Debian 12's vsmartcard-vpicc 3.3+dfsg-2 (Python 3 bugs fixed upstream later)
import virtualsmartcard.TLVutils as T, virtualsmartcard.SmartcardFilesystem as SF
def _pack(tlv_data, recalculate_length=False):
    r = b''
    for t, l, v in tlv_data:
        if t in (0xff, 0): r += bytes([t]); continue
        if not isinstance(v, bytes): v = _pack(v, recalculate_length)
        if recalculate_length: l = len(v)
        tb = t.to_bytes((t.bit_length() + 7) // 8, 'big')
        r += tb + (bytes([l]) if l < 0x80 else bytes([0x80 + (l.bit_length() + 7) // 8]) + l.to_bytes((l.bit_length() + 7) // 8, 'big')) + v
    return r
for m in (T, SF):
    for n in ('pack', 'bertlv_pack'):
        if hasattr(m, n): setattr(m, n, _pack)
_fr = VS.Iso7816OS.formatResult
def formatResult(self, seekable, le, data, sw, sm): return _fr(self, seekable, 0 if le is None else le, data, sw, sm)
VS.Iso7816OS.formatResult = formatResult
_sk = VS.VirtualICC._VirtualICC__recvFromVPICC
def _rv(self):
    self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1); r = _sk(self); self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1); return r
VS.VirtualICC._VirtualICC__recvFromVPICC = _rv

def tlv(tag, *v):
    t = bytes.fromhex(tag); b = b''.join(v); n = len(b)
    l = bytes([n]) if n < 128 else (b'\x81' + bytes([n]) if n < 256 else b'\x82' + n.to_bytes(2, 'big'))
    return t + l + b
utf8 = lambda s: tlv('0c', s.encode())
path = lambda p: tlv('30', tlv('04', bytes.fromhex(p)))
AID15 = bytes.fromhex('A000000063504B43532D3135')
oid = bytes.fromhex('0604672B0701')
boot = bytes(range(256)) + b'WBXML bootstrap placeholder ' * 12; boot += b'\xff' * (700 - len(boot))
P = '3F007F50'
odf = tlv('a7', path(P + '6432'))
dodf = tlv('a1', tlv('30', utf8('OMA DM bootstrap'), tlv('03', b'\x06\x40')), tlv('30', utf8('OMA-DM'), oid), tlv('a1', path(P + '6433')))  # as opaque-by-path variant below
dodf_opaque = tlv('30', tlv('30', utf8('OMA DM bootstrap')), tlv('30', utf8('OMA-DM'), oid), tlv('a1', path(P + '6433')))
dodf_oid = tlv('a1', tlv('30', utf8('OMA DM oidDO')), tlv('30', utf8('OMA-DM'), oid), tlv('a1', tlv('30', oid, path(P + '6433'))))
ti = tlv('30', tlv('02', b'\x00'), tlv('04', b'\x12\x34'), tlv('0c', b'DMSC'), tlv('80', b'DMSC test card'), tlv('03', b'\x04\x30'))
mf = MF()
dirrec = tlv('61', tlv('4f', AID15), tlv('50', b'PKCS#15'), tlv('51', bytes.fromhex(P)))
mf.append(TransparentStructureEF(parent=mf, fid=0x2F00, data=dirrec))
df = DF(parent=mf, fid=0x7F50, dfname=AID15)
for fid, d in ((0x5031, odf), (0x5032, ti), (0x6432, dodf_opaque + dodf_oid), (0x6433, boot)):
    df.append(TransparentStructureEF(parent=df, fid=fid, data=d))
mf.append(df)
CG.CardGenerator.getCard = lambda self: (mf, SAM(b'1234', b'1234567890', mf))
v = VS.VirtualICC(None, 'iso7816', '127.0.0.1', int(sys.argv[1]), logginglevel=logging.WARNING)
v.run()
