"""Certificates for servers of tests: an authority that is made for one, and what it vouches for."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def certify(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """Return a context for a server of these names or addresses, and the file of the authority that vouches for it."""
    root, host = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tintype's tests")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = _unsigned(issuer, issuer, root).add_extension(x509.BasicConstraints(True, 0), True)
    signed = authority.add_extension(usage, True).sign(root, hashes.SHA256())
    known = x509.SubjectAlternativeName([_name(name) for name in names])
    leaf = _unsigned(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), issuer, host)
    leaf = leaf.add_extension(known, False).add_extension(x509.BasicConstraints(False, None), True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    leaf = leaf.add_extension(identifier, False).sign(root, hashes.SHA256())
    (folder / "authority.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "host.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key = host.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "host.key").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "host.pem", folder / "host.key")
    return context, folder / "authority.pem"


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=2))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
