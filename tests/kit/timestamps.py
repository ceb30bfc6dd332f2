"""A timestamping authority (RFC 3161) of the tests' own, over HTTP on the loopback; pyHanko's knows RSA only."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.timestamps import DummyTimeStamper

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "时间戳（示例数据）")])
TERM = timedelta(days=400)


@dataclass
class TimestampAuthority:
    """Whoever asks is told `at`; `certificate` is what verifiers pin, `asked` what came."""

    at: datetime
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    asked: list[bytes] = field(default_factory=list)
    status: int = 200

    def __post_init__(self) -> None:
        usage = {"digital_signature": True, "content_commitment": True}
        others = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
        unused = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(NAME)
            .issuer_name(NAME)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.at - TERM)
            .not_valid_after(self.at + TERM)
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.KeyUsage(**usage, **unused), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def stamp(self, query: bytes) -> bytes:
        """Answer as the port wants it; in a thread, because whoever asks is in a loop of events already."""
        answered: list[bytes] = []
        asking = Thread(target=lambda: answered.append(self._stamp(query)))
        asking.start()
        asking.join()
        return answered[0]

    def _stamp(self, query: bytes) -> bytes:
        self.asked.append(query)
        own = asn1.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        key = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        dummy = DummyTimeStamper(own, keys.PrivateKeyInfo.load(key), fixed_dt=self.at)
        return asyncio.run(dummy.async_request_tsa_response(tsp.TimeStampReq.load(query))).dump()

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve on the loopback; yields the address."""
        authority = self

        class Counter(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                asked_well = self.headers["Content-Type"] == "application/timestamp-query"
                reply = authority.stamp(query) if authority.status == 200 and asked_well else b"closed"
                self.send_response(authority.status if asked_well else 415)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
