#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What we and nginx make of doubtful heads of requests.

usage: heads.py HEAD_VERDICT NGINX_PORT

Whatever nginx refuses we refuse too. Where we refuse and nginx does not is counted and, by kind,
named: strictness is meant. Prints lines `ok NAME` and `not ok NAME`.
"""

import re
import socket
import subprocess
import sys

GOOD = b"GET /a HTTP/1.1\r\nHost: h\r\nX-One: two\r\n\r\n"
MARKS = [bytes([n]) for n in (0, 1, 9, 10, 11, 12, 13, 32, 34, 35, 44, 58, 59, 64, 92, 127, 128, 255)]
MARKS += [b"\r\n", b"\n\n", b"\r\r", b"\r\n ", b"%", b"%00", b"%zz", b"/../", b"//", b"?", b"*"]

LINES = [
    b"GET /a", b"GET /a HTTP/1.0", b"GET /a HTTP/1.2", b"GET /a HTTP/2.0", b"GET /a HTTP/0.9",
    b"GET /a http/1.1", b"GET  /a HTTP/1.1", b"GET /a  HTTP/1.1", b"GET /a HTTP/1.1 ", b"get /a HTTP/1.1",
    b"GET http://h/a HTTP/1.1", b"GET http://other/a HTTP/1.1", b"GET https://h:1/a?b HTTP/1.1",
    b"GET http:///a HTTP/1.1", b"GET http://u:p@h/ HTTP/1.1", b"GET ftp://h/ HTTP/1.1", b"GET * HTTP/1.1",
    b"OPTIONS * HTTP/1.1", b"CONNECT h:443 HTTP/1.1", b"GET a HTTP/1.1", b"GET ?a HTTP/1.1",
    b"GET /a%20b HTTP/1.1", b"GET /%2e%2e/%2e%2e/ HTTP/1.1", b"GET /../../ HTTP/1.1", b"GET /a;b=c HTTP/1.1",
    b"GET /\xc3\xa9 HTTP/1.1", b"PRI * HTTP/2.0", b"GET /a HTTP/1.1\t", b"GET\t/a\tHTTP/1.1",
    b"GET /a HTTP/01.1", b"GET /a HTTP/1.01", b"GET /a HTTP/1.1a", b"GET /a HTTP/.1", b"GE\0T /a HTTP/1.1",
    b"G=T /a HTTP/1.1", b"M-SEARCH /a HTTP/1.1", b"TRACE /a HTTP/1.1", b"GET /a#b HTTP/1.1",
]
FIELDS = [
    b"Content-Length: 1\r\nContent-Length: 1", b"Content-Length: 1\r\nContent-Length: 2", b"Content-Length: 1,1",
    b"Content-Length: +1", b"Content-Length: -1", b"Content-Length: 0x1", b"Content-Length: 1 1", b"Content-Length:",
    b"Content-Length: 18446744073709551617", b"Content-Length: 9223372036854775808", b"Content-Length : 1",
    b"Content-Length: 1\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 1",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, gzip", b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding\t: chunked", b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding: chun ked",
    b" Transfer-Encoding: chunked", b"X: a\r\n Transfer-Encoding: chunked", b"X: a\r\n\tb", b"X: a\rTransfer-Encoding: chunked",
    b"X: a\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\0", b"Tra\0nsfer-Encoding: chunked",
    b"Host: h", b"Host: other", b"Host:", b"Host: a b", b"Host: a/b", b"Host: a\\b", b"Host: h:80:80", b"Host: h:x",
    b"Host: [::1", b"Host: u@h", b"Host: \xc3\xa9", b"X-One", b": x", b"X One: a", b"X(One): a", b"X\xc3: a", b"X: \x01",
    b"X: \x7f", b"X: \xff", b"X:", b"X: " + b"a" * 4000, b"Expect: 100-continue", b"Expect: 200-ok", b"Connection: close",
    b"Connection: \"close\"", b"Upgrade: h2c\r\nConnection: Upgrade", b"X: a\r\nX: b",
]


def heads():
    """Every doubtful head, with the kind it is of."""
    yield "good", GOOD
    for mark in MARKS:
        for at in range(len(GOOD)):
            yield "a byte put in", GOOD[:at] + mark + GOOD[at:]
    for at in range(len(GOOD)):
        yield "a byte left out", GOOD[:at] + GOOD[at + 1:]
    for line in LINES:
        yield "a request line", line + b"\r\nHost: h\r\n\r\n"
        yield "a request line without a host", line + b"\r\n\r\n"
    for field in FIELDS:
        yield "a field", b"POST /a HTTP/1.1\r\nHost: h\r\n" + field + b"\r\n\r\n"
        yield "a field before the host", b"POST /a HTTP/1.1\r\n" + field + b"\r\nHost: h\r\n\r\n"
        yield "a field of HTTP/1.0", b"POST /a HTTP/1.0\r\n" + field + b"\r\n\r\n"


def asked(port, head):
    """nginx's status; None: it says nothing, since the head has no end for it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        try:
            peer.sendall(head)
            peer.shutdown(socket.SHUT_WR)
            answer = peer.recv(4096)
        except ConnectionError:
            return None
    if not answer.startswith(b"HTTP/1."):
        return 200 if answer else None  # HTTP/0.9 has no status
    return int(answer.split(b" ", 2)[1])


def ours(program, everything):
    """Our status of each; 0: accepted, None: it has no end for us."""
    lines = "\n".join(head.hex() for _, head in everything) + "\n"
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    return [None if word == "-" else int(word) for word in done.stdout.split()]


def is_refused(status):
    """The head itself is refused; what is asked for does not matter."""
    return status in (400, 408, 411, 413, 414, 417, 431, 494, 501, 505)


def is_of_its_own(head):
    """RFC 9110 and 9112 allow it, nginx does not: a method of other characters than A-Z, '-' and
    '_', a tab beside a value, OPTIONS of the server as a whole, a path that leads above the root, and
    methods that it does not do."""
    method = head.split(b" ", 1)[0]
    return (
        not re.fullmatch(rb"(\r\n)?[A-Z_-]+", method)
        or b"\t" in head
        or head.startswith((b"OPTIONS *", b"TRACE"))
        or b"/../" in head
        or b"%2e%2e" in head
    )


def main():
    """Compare, and say so."""
    everything = list(heads())
    verdicts = ours(sys.argv[1], everything)
    if len(verdicts) != len(everything):
        print("not ok heads: a verdict on each")
        return 1
    laxer, stricter, same = [], {}, 0
    for (kind, head), verdict in zip(everything, verdicts):
        theirs = asked(int(sys.argv[2]), head)
        accepted = verdict == 0
        if accepted and is_refused(theirs) and not is_of_its_own(head):
            laxer.append((head, theirs))
        elif not accepted and theirs is not None and not is_refused(theirs):
            stricter.setdefault(kind, []).append(head)
        else:
            same += 1
    for head, theirs in laxer:
        print(f"# nginx says {theirs}: {head!r}")
    for kind, some in stricter.items():
        print(f"# only we refuse {len(some)} of: {kind}, like {some[0]!r}")
    print(f"# {len(everything)} heads, {same} of one mind")
    print(f"{'not ok' if laxer else 'ok'} heads: what nginx refuses is refused")
    good = verdicts[0] == 0 and asked(int(sys.argv[2]), GOOD) == 200
    print(f"{'ok' if good else 'not ok'} heads: a good one is accepted by both")
    return 1 if laxer or not good else 0


if __name__ == "__main__":
    sys.exit(main())
