"""Whom the clients of tests trust: nobody, as they speak plain HTTP on loopback, and to read the authorities takes 25 ms each time."""

import ssl

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
