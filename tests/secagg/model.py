"""The secure sum once more, from docs/secure-sum.md and nothing else: whole cohorts, byte for byte, from fixed seeds.

Usage: model.py PROGRAM, where PROGRAM prints what the product said (transcript.cc). Python's own hashes, another AES and
another X25519 (python3-cryptography). Only the numbers of neighbours and of shares are taken over: parameters_test has
their known answers.
"""
import hashlib, hmac, json, struct, subprocess, sys
try:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:
    sys.exit(77)  # Skipped: python3-cryptography isn't installed.

P, SEED, MASK_KEY, ABSENT, DROPPED, SURVIVED = 2**61 - 1, 1, 2, 0, 1, 2
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def mac(key, text): return hmac.new(key, text, hashlib.sha256).digest()
def u32(*numbers): return struct.pack(f"<{len(numbers)}I", *numbers)
def text(value): return u32(len(value)) + value
def hkdf(key, salt, info): return mac(mac(salt or bytes(32), key), info + b"\1")
def ctr(key, size): return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(size))
def words(raw): return list(struct.unpack(f"<{len(raw) // 4}I", raw))
def public(private): return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
def agree(private, peer): return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(peer))
def sign(certificate, domain, message): return mac(sha(b"key of " + certificate), domain + b"\0" + message)  # The tests' own.

def stream(seed, purpose, size=1 << 17):
    return memoryview(ctr(hkdf(seed, b"", b"aisle/stream/" + purpose), size))

def merkle(leaves):  # RFC 6962, section 2.1; leaves are hashed already.
    if len(leaves) == 1: return leaves[0]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha(b"\1", merkle(leaves[:half]), merkle(leaves[half:]))

def neighbours(size, degree, seed):  # graph.h
    draws, at, ring = stream(seed, b"secagg/graph"), 0, list(range(size))
    for i in range(size - 1, 0, -1):
        while True:
            draw = int.from_bytes(draws[at:at + 8], "little"); at += 8
            if draw >= 2**64 % (i + 1): break
        ring[i], ring[draw % (i + 1)] = ring[draw % (i + 1)], ring[i]
    place = {position: i for i, position in enumerate(ring)}
    near = lambda a, b: min((place[a] - place[b]) % size, (place[b] - place[a]) % size) <= degree // 2
    return [[b for b in range(size) if b != a and (degree == size - 1 or near(a, b))] for a in range(size)]

def split(secret, threshold, points, draws):  # shamir.h
    whole = int.from_bytes(secret, "little")
    limbs, at = [[(whole >> 52 * i) & (2**(52 if i < 4 else 48) - 1)] for i in range(5)], 0
    for _ in range(threshold - 1):
        for limb in limbs:
            limb.append(int.from_bytes(draws[at:at + 8], "little") >> 3); at += 8
            assert limb[-1] != P  # Would be drawn again; happens once in 2^61.
    return [struct.pack("<5Q", *(sum(c * pow(x, k, P) for k, c in enumerate(limb)) % P for limb in limbs)) for x in points]

def combine(shares):  # {point: share}
    secret = 0
    for i in range(5):
        limb = 0
        for x, share in shares.items():
            weight = 1
            for other in shares:
                if other != x: weight = weight * other * pow(other - x, -1, P) % P
            limb += struct.unpack("<5Q", share)[i] * weight
        secret |= (limb % P) << 52 * i
    return secret.to_bytes(32, "little")

class Cohort:
    def __init__(self, said):
        t, self.stores = said["terms"], said["stores"]
        self.size, self.degree, self.threshold = len(self.stores), said["degree"], said["threshold"]
        self.terms = sha(text(b"aisle/secagg/terms/v1"), text(t["job"].encode()), u32(t["round"], t["attempt"]), bytes.fromhex(t["plan"]),
                         struct.pack("<Q", t["length"]), u32(t["cohort_min"], t["corrupt"], t["dropout"]))
        self.length, self.secrets = t["length"], [bytes.fromhex(s["secret"]) for s in self.stores]
        own = lambda use: [hkdf(secret, self.terms, b"aisle/secagg/secret/" + use + b"/v1") for secret in self.secrets]
        self.channel, self.mask, self.seed, self.nonce = own(b"channel"), own(b"mask"), own(b"seed"), own(b"nonce")
        self.channel_public, self.mask_public = list(map(public, self.channel)), list(map(public, self.mask))
        self.adverts = [self.advert(i) for i in range(self.size)]
        self.root = merkle([sha(b"\0", text(b"aisle/secagg/advert/v1"), text(a), text(s)) for a, s in self.adverts])
        self.name = self.terms + self.root + u32(self.size)
        self.neighbours = neighbours(self.size, self.degree, sha(text(b"aisle/secagg/graph/v1"), self.name))

    def certificate(self, i): return self.stores[i]["certificate"].encode()
    def advert(self, i):
        statement = self.terms + b"".join(map(text, (self.stores[i]["id"].encode(), self.certificate(i), self.channel_public[i],
                                                     self.mask_public[i], self.nonce[i])))
        return statement, sign(self.certificate(i), b"aisle/secagg/advert/v1", statement)

    def commitment(self, a, b, kind, share): return sha(text(b"aisle/secagg/share/v1"), self.name, u32(a, b), bytes([kind]), share)
    def deal(self, a):
        seed, points = hkdf(self.secrets[a], self.root, b"aisle/secagg/secret/dealing/v1"), [b + 1 for b in self.neighbours[a]]
        mask_shares = split(self.mask[a], self.threshold, points, stream(seed, b"secagg/dealing/mask-key"))
        seed_shares = split(self.seed[a], self.threshold, points, stream(seed, b"secagg/dealing/seed"))
        nonces, shares, statement = stream(seed, b"secagg/dealing/nonces"), [], self.name + u32(a, self.degree)
        for i, (b, mask, own) in enumerate(zip(self.neighbours[a], mask_shares, seed_shares)):
            key = hkdf(agree(self.channel[a], self.channel_public[b]), self.root, b"aisle/secagg/channel/v1" + u32(a, b))
            nonce = bytes(nonces[12 * i:12 * i + 12])
            sealed = nonce + AESGCM(key).encrypt(nonce, mask + own, b"")
            commitments = self.commitment(a, b, MASK_KEY, mask), self.commitment(a, b, SEED, own)
            shares.append([b, sealed.hex(), *(c.hex() for c in commitments)])
            statement += u32(b) + text(sealed) + b"".join(commitments)
        digest = sha(text(b"aisle/secagg/seed/v1"), self.name, u32(a), self.seed[a])
        self.shares = getattr(self, "shares", {}) | {(a, b, k): s for b, *both in zip(self.neighbours[a], seed_shares, mask_shares)
                                                     for k, s in zip((SEED, MASK_KEY), both)}
        return {"shares": shares, "seed_digest": digest.hex(), "signature": sign(self.certificate(a), b"aisle/secagg/dealt/v1", statement + digest).hex()}

    def self_mask(self, a, seed): return words(ctr(hkdf(seed, self.root, b"aisle/secagg/self/v1" + u32(a)), 4 * self.length))
    def pair_mask(self, a, b, mask):  # As `a`, whose mask key is given, wears it.
        key = hkdf(agree(mask, self.mask_public[b]), self.root, b"aisle/secagg/pair/v1" + u32(min(a, b), max(a, b)))
        return [w if a < b else -w for w in words(ctr(key, 4 * self.length))]

def check(what, computed, said): assert computed == said, f"{what}: computed {str(computed)[:200]}, the product said {str(said)[:200]}"

def compare(said):
    c, stores = Cohort(said), said["stores"]
    status = [s["status"] for s in stores]
    check("root", c.root.hex(), said["root"])
    check("roster", sign(b"coordinator hq", b"aisle/secagg/roster/v1", c.name).hex(), said["roster_signature"])
    survivors = merkle([sha(b"\0", u32(i), bytes([s])) for i, s in enumerate(status)])
    check("survivors", survivors.hex(), said["survivors"])
    for a, store in enumerate(stores):
        check("advert", {"channel_key": c.channel_public[a].hex(), "mask_key": c.mask_public[a].hex(), "nonce": c.nonce[a].hex(),
                         "terms": c.terms.hex(), "signature": c.adverts[a][1].hex()}, store["advert"])
        check("neighbours", c.neighbours[a], store["neighbours"])
        if status[a] != ABSENT: check("dealt", c.deal(a), store["dealt"])
    total, plain, revealed = [0] * c.length, [0] * c.length, {}
    for a, store in enumerate(stores):
        if status[a] != SURVIVED: continue
        vector = words(bytes.fromhex(store["vector"]))
        masks = [c.self_mask(a, c.seed[a])] + [c.pair_mask(a, b, c.mask[a]) for b in c.neighbours[a] if status[b] != ABSENT]
        masked = [sum(column) % 2**32 for column in zip(vector, *masks)]
        check("masked", struct.pack(f"<{c.length}I", *masked).hex(), store["masked"])
        check("confirmation", sign(c.certificate(a), b"aisle/secagg/survivors/v1", c.name + survivors).hex(), store["confirmation"])
        total, plain = [x + y for x, y in zip(total, masked)], [x + y for x, y in zip(plain, vector)]
        if "revealed" not in store: continue
        kinds = [(b, SEED if status[b] == SURVIVED else MASK_KEY) for b in c.neighbours[a] if status[b] != ABSENT]
        check("revealed", [[b, kind, c.shares[b, a, kind].hex()] for b, kind in kinds], store["revealed"])
        for b, kind, share in store["revealed"]: revealed.setdefault(b, {})[a + 1] = bytes.fromhex(share)
    for a in range(c.size):  # As headquarters, who knows nothing but what was revealed.
        if status[a] == ABSENT: continue
        secret = combine(dict(list(revealed[a].items())[:c.threshold]))
        check("secret", secret, c.seed[a] if status[a] == SURVIVED else c.mask[a])
        masks = [c.self_mask(a, secret)] if status[a] == SURVIVED else [[-w for w in c.pair_mask(a, b, secret)] for b in c.neighbours[a] if status[b] == SURVIVED]
        total = [(x - sum(column)) for x, *column in zip(total, *masks)]
    check("sum", [x % 2**32 for x in total], [x % 2**32 for x in plain])
    check("sum", struct.pack(f"<{c.length}I", *(x % 2**32 for x in total)).hex(), said["sum"])

for play in ["3 1 5 2   ", "4 2 1 3   ", "8 3 33 3 0 4 ", "20 4 17 10 0,19 3,7 5", "32 5 9 20 30 0,1 2", "33 6 9 20  1,2 ", "48 7 100 30 5 0,47,20 9,10"]:
    print("cohort:", play, flush=True)
    compare(json.loads(subprocess.run([sys.argv[1], *play.split(" ")], check=True, stdout=subprocess.PIPE).stdout))
