// SPDX-License-Identifier: Apache-2.0

/* The matrix: requests that must be refused, with the status, and requests that must not; each
 * fed whole, byte by byte and in random portions, with the same outcome. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/http/judge.h"

enum { BODY_MAX = 1024, SPLITS = 6 };

struct row {
	const char *bytes;
	size_t len;
	unsigned status; /* 0: sound */
};

#define ROW(status_, bytes_) \
	{ \
		.bytes = (bytes_), .len = sizeof(bytes_) - 1, .status = (status_) \
	}
#define GET(target_)          "GET " target_ " HTTP/1.1\r\nHost: a\r\n\r\n"
#define WITH(headers_)        "GET / HTTP/1.1\r\nHost: a\r\n" headers_ "\r\n"
#define POST(headers_, body_) "POST / HTTP/1.1\r\nHost: a\r\n" headers_ "\r\n" body_
#define CHUNKED(body_)        POST("Transfer-Encoding: chunked\r\n", body_)
#define HOST(value_)          "GET / HTTP/1.1\r\nHost: " value_ "\r\n\r\n"

static const struct row request_lines[] = {
	ROW(400, "\n"),
	ROW(400, "\r\r\n"),
	ROW(400, "\r\n\n"),
	ROW(400, "\r\n\r\n\r\n" GET("/")),
	ROW(400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "\tGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	ROW(400, "\0GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "\xff\xfe"),
	ROW(400, "GET\r\n\r\n"),
	ROW(400, "GET /\r\n\r\n"),
	ROW(400, "GET / \r\n\r\n"),
	ROW(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
	ROW(400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/11\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/01.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1,1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP /1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTPS/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / ICE/1.0\r\n\r\n"),
	ROW(400, "GET / RTSP/1.0\r\n\r\n"),
	ROW(505, "GET / HTTP/0.9\r\n\r\n"),
	ROW(505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
	ROW(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
	ROW(505, "GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
	ROW(505, "GET / HTTP/9.9\r\nHost: a\r\n\r\n"),
	ROW(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	ROW(501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "Get / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "GETT / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "G / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(501, "M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET: / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "(GET) / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r \nHost: a\r\n\r\n"),
};

static const struct row targets[] = {
	ROW(400, GET("hello")),
	ROW(400, GET("?a=b")),
	ROW(400, GET("*")),
	ROW(400, "POST * HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, "OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(400, GET("a:80")),
	ROW(400, GET("//a\\b")),
	ROW(400, GET("/\\")),
	ROW(400, GET("/#top")),
	ROW(400, GET("/a#top")),
	ROW(400, GET("/?a#top")),
	ROW(400, GET("/<script>")),
	ROW(400, GET("/\"")),
	ROW(400, GET("/a|b")),
	ROW(400, GET("/a^b")),
	ROW(400, GET("/a`b")),
	ROW(400, GET("/{id}")),
	ROW(400, GET("/[1]")),
	ROW(400, GET("/\xc3\xa9")),
	ROW(400, GET("/\x7f")),
	ROW(400, GET("/\x01")),
	ROW(400, GET("/\0")),
	ROW(400, GET("/a\0b")),
	ROW(400, GET("/%")),
	ROW(400, GET("/%4")),
	ROW(400, GET("/%zz")),
	ROW(400, GET("/%4g")),
	ROW(400, GET("/%%41")),
	ROW(400, GET("/%-1")),
	ROW(400, GET("/%+1")),
	ROW(400, GET("/%0x")),
	ROW(400, GET("/%00")),
	ROW(400, GET("/a%00b")),
	ROW(400, GET("/.")),
	ROW(400, GET("/..")),
	ROW(400, GET("/./a")),
	ROW(400, GET("/a/./b")),
	ROW(400, GET("/a/..")),
	ROW(400, GET("/a/../b")),
	ROW(400, GET("/../../etc/passwd")),
	ROW(400, GET("/%2e")),
	ROW(400, GET("/%2e%2e")),
	ROW(400, GET("/%2E./a")),
	ROW(400, GET("/.%2e/a")),
	ROW(400, GET("/a/%2E%2E/b")),
	ROW(400, GET("/?a=%")),
	ROW(400, GET("/?a=%4")),
	ROW(400, GET("/?a=%zz")),
	ROW(400, GET("/?a=%00")),
	ROW(400, GET("/?\"")),
	ROW(400, GET("/?<")),
	ROW(400, GET("/?\xc3\xa9")),
	ROW(400, GET("http://")),
	ROW(400, GET("http:///path")),
	ROW(400, GET("http:/a")),
	ROW(400, GET("http://a b/")),
	ROW(400, GET("http://user@a/")),
	ROW(400, GET("http://user:secret@a/")),
	ROW(400, GET("http://a:port/")),
	ROW(400, GET("http://a:99999/")),
	ROW(400, GET("http://[::1/")),
	ROW(400, GET("http://a#b")),
	ROW(400, GET("http://a/../b")),
	ROW(400, GET("ftp://a/")),
	ROW(400, GET("file:///etc/passwd")),
	ROW(400, GET("javascript:alert(1)")),
	ROW(400, "GET http://a/ HTTP/1.1\r\n\r\n"),
	ROW(400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
	ROW(400, "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
};

static const struct row hosts[] = {
	ROW(400, "GET / HTTP/1.1\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n"),
	ROW(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
	ROW(400, "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
	ROW(400, HOST("")),
	ROW(400, HOST(" ")),
	ROW(400, HOST(":80")),
	ROW(400, HOST("a, b")),
	ROW(400, HOST("a,b")),
	ROW(400, HOST("a b")),
	ROW(400, HOST("a/b")),
	ROW(400, HOST("a?b")),
	ROW(400, HOST("a#b")),
	ROW(400, HOST("a@b")),
	ROW(400, HOST("a\\b")),
	ROW(400, HOST("<a>")),
	ROW(400, HOST("\"a\"")),
	ROW(400, HOST("http://a")),
	ROW(400, HOST("a:b")),
	ROW(400, HOST("a:-1")),
	ROW(400, HOST("a:+80")),
	ROW(400, HOST("a:65536")),
	ROW(400, HOST("a:000080")),
	ROW(400, HOST("a:80:80")),
	ROW(400, HOST("a: 80")),
	ROW(400, HOST("::1")),
	ROW(400, HOST("[::1")),
	ROW(400, HOST("[]")),
	ROW(400, HOST("[::1]80")),
	ROW(400, HOST("[::1]:x")),
	ROW(400, HOST("[::g]")),
	ROW(400, HOST("[127.0.0.1]")),
	ROW(400, HOST("[fe80::1%25eth0]")),
	ROW(400, HOST("a%")),
	ROW(400, HOST("a%zz")),
	ROW(400, HOST("a%00")),
	ROW(400, HOST("\xc3\xa9")),
	ROW(400, HOST("a\0b")),
};

static const struct row headers[] = {
	ROW(400, WITH("X : 1\r\n")),
	ROW(400, WITH("X\t: 1\r\n")),
	ROW(400, WITH(" X: 1\r\n")),
	ROW(400, WITH("\tX: 1\r\n")),
	ROW(400, WITH("X: 1\r\n folded\r\n")),
	ROW(400, WITH("X: 1\r\n\tfolded\r\n")),
	ROW(400, WITH("X: 1\r\n \r\n")),
	ROW(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
	ROW(400, WITH("X\r\n")),
	ROW(400, WITH("X 1\r\n")),
	ROW(400, WITH(": 1\r\n")),
	ROW(400, WITH("X Y: 1\r\n")),
	ROW(400, WITH("X@: 1\r\n")),
	ROW(400, WITH("X(: 1\r\n")),
	ROW(400, WITH("X\"Y: 1\r\n")),
	ROW(400, WITH("X/Y: 1\r\n")),
	ROW(400, WITH("X{}: 1\r\n")),
	ROW(400, WITH("X\0: 1\r\n")),
	ROW(400, WITH("X\x80: 1\r\n")),
	ROW(400, WITH("X: a\0b\r\n")),
	ROW(400,
		WITH("X: a\x01"
		     "b\r\n")),
	ROW(400, WITH("X: a\x0b\r\n")),
	ROW(400, WITH("X: a\x1b[0m\r\n")),
	ROW(400, WITH("X: a\x7f\r\n")),
	ROW(400, WITH("X: a\nY: b\r\n")),
	ROW(400, WITH("X: a\rY: b\r\n")),
	ROW(400, WITH("X: a\r\rY: b\r\n")),
	ROW(400, WITH("X: a\n")),
	ROW(400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
	ROW(400, "GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n"),
	ROW(417, WITH("Expect: 200-ok\r\n")),
	ROW(417, WITH("Expect:\r\n")),
	ROW(417, WITH("Expect: 100-continue, 200-ok\r\n")),
	ROW(417, WITH("Expect: 100-continue\r\nExpect: 100-continue\r\n")),
};

static const struct row framings[] = {
	ROW(400, POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")),
	ROW(400, POST("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")),
	ROW(400, POST("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")),
	ROW(400, POST("Content-Length: 5\r\ncontent-length: 5\r\n", "hello")),
	ROW(400, POST("Content-Length: 5, 5\r\n", "hello")),
	ROW(400, POST("Content-Length: 5,6\r\n", "hello")),
	ROW(400, POST("Content-Length:\r\n", "")),
	ROW(400, POST("Content-Length: \r\n", "")),
	ROW(400, POST("Content-Length: -1\r\n", "")),
	ROW(400, POST("Content-Length: -0\r\n", "")),
	ROW(400, POST("Content-Length: +5\r\n", "hello")),
	ROW(400, POST("Content-Length: 0x5\r\n", "hello")),
	ROW(400, POST("Content-Length: 5 5\r\n", "hello")),
	ROW(400, POST("Content-Length: 5.0\r\n", "hello")),
	ROW(400, POST("Content-Length: 5e0\r\n", "hello")),
	ROW(400, POST("Content-Length: five\r\n", "hello")),
	ROW(400, POST("Content-Length: 18446744073709551616\r\n", "")),
	ROW(400, POST("Content-Length: 18446744073709551621\r\n", "hello")),
	ROW(400, POST("Content-Length: 99999999999999999999999\r\n", "")),
	ROW(413, POST("Content-Length: 9223372036854775807\r\n", "")),
	ROW(413, POST("Content-Length: 1025\r\n", "")),
	ROW(400, POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
	ROW(400,
		POST("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
	ROW(400,
		POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding:\r\n", "0\r\n\r\n")),
	ROW(400,
		POST("Transfer-Encoding: \x0b"
		     "chunked\r\n",
			"0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked\x0c\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked\0\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked\xa0\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: 'chunked'x y\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: x\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked\r\nX: 1\nContent-Length: 5\r\n", "0\r\n\r\n")),
	ROW(400, POST("Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n", "0\r\n\r\n")),
	ROW(400, POST("Content-Length : 5\r\n", "hello")),
	ROW(400, POST("Content-Length: 5\r\n 0\r\n", "hello")),
	ROW(400, POST("Content-Length: 5\0\r\n", "hello")),
	ROW(400,
		POST("Content-Length: \x0b"
		     "5\r\n",
			"hello")),
	ROW(400, POST("Content-Length: 5;\r\n", "hello")),
	ROW(400, POST("Content-Length: \"5\"\r\n", "hello")),
	ROW(400, POST("Content-Length: ,5\r\n", "hello")),
	ROW(400, POST("Content-Length: 5\r\nTransfer-Encoding: identity\r\n", "hello")),
	ROW(400, POST("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
	ROW(400, POST("Content-Length: 5\r\nTransfer-Encoding:\r\n", "hello")),
	ROW(400, POST("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")),
	ROW(501, POST("Transfer-Encoding: gzip\r\n", "")),
	ROW(501, POST("Transfer-Encoding: identity\r\n", "")),
	ROW(501, POST("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")),
	ROW(501, POST("Transfer-Encoding: chunke\r\n", "0\r\n\r\n")),
	ROW(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	ROW(400, "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n"),
	ROW(400, CHUNKED("\r\n")),
	ROW(400, CHUNKED("x\r\n")),
	ROW(400, CHUNKED("-1\r\n")),
	ROW(400, CHUNKED("+1\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("0x1\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED(" 1\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1 \r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\rx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\r\nxy\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\r\nx\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\r\nx0\r\n\r\n")),
	ROW(400, CHUNKED("1;\n\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1;a\0b\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1;a\rb\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1;a=\"b\r\n\"\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1;a=\"b\nc\"\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\t\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("\t1\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\0\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1_0\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("\xef\xbc\x91\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED(";a=b\r\nx\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("1\r\nx\r0\r\n\r\n")),
	ROW(400, CHUNKED("1\r\nx\r\r\n0\r\n\r\n")),
	ROW(400, CHUNKED("0\r\n\rX\r\n\r\n")),
	ROW(400, CHUNKED("0\r\nContent-Length: 5\r\n\r\n")),
	ROW(400, CHUNKED("0\r\nTransfer-Encoding: gzip\r\n\r\n")),
	ROW(400, CHUNKED("0\r\nX\r\n\r\n")),
	ROW(400, CHUNKED("0\r\nX: a\0b\r\n\r\n")),
	ROW(400, CHUNKED("0\r\nX: 1\r\n folded\r\n\r\n")),
	ROW(400, CHUNKED("0\r\n: 1\r\n\r\n")),
	ROW(400, CHUNKED("0\r\nX : 1\r\n\r\n")),
	ROW(400, CHUNKED("0\r\n X: 1\r\n\r\n")),
	ROW(400, CHUNKED("0\r\nX: 1\n\r\n")),
	ROW(400, CHUNKED("0\r\n\n")),
	ROW(400, CHUNKED("0\n\r\n")),
	ROW(400, CHUNKED("10000000000000000\r\n")),
	ROW(400, CHUNKED("fffffffffffffffff\r\n")),
	ROW(413,
		CHUNKED("401\r\n"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX")),
};

/* Smuggling: a second request that must not be seen behind a refused one. */
static const struct row sound[] = {
	ROW(0, GET("/")),
	ROW(0, "\r\n" GET("/")),
	ROW(0, "\r\n\r\n" GET("/")),
	ROW(0, GET("/a/b;c=d/e:f@g,h")),
	ROW(0, GET("/a//b")),
	ROW(0, GET("//")),
	ROW(0, GET("/...")),
	ROW(0, GET("/.a/b..")),
	ROW(0, GET("/.well-known/security.txt")),
	ROW(0, GET("/%41%c3%a9")),
	ROW(0, GET("/a%2Fb")),
	ROW(0, GET("/a%5Cb")),
	ROW(0, GET("/~user/!$&'()*+,;=")),
	ROW(0, GET("/?")),
	ROW(0, GET("/?a=b&c=d%20e+f")),
	ROW(0, GET("/?a[]=1&b={}|^`\\")),
	ROW(0, GET("/?a=/../b?c")),
	ROW(0, GET("http://a/")),
	ROW(0, GET("http://a")),
	ROW(0, GET("http://a?b=c")),
	ROW(0, GET("HTTPS://a:443/b?c")),
	ROW(0, GET("http://[::1]:3000/")),
	ROW(0, "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
	ROW(0, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(0, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(0, "PUT / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(0, "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(0, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"),
	ROW(0, "GET / HTTP/1.0\r\n\r\n"),
	ROW(0, "GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
	ROW(0, "GET / HTTP/1.0\r\nExpect: the unexpected\r\n\r\n"),
	ROW(0, HOST("localhost:3000")),
	ROW(0, HOST("localhost:")),
	ROW(0, HOST("127.0.0.1:65535")),
	ROW(0, HOST("[2001:db8::1]")),
	ROW(0, HOST("[::ffff:1.2.3.4]:80")),
	ROW(0, HOST("xn--bcher-kva.example.")),
	ROW(0, HOST("under_score.example")),
	ROW(0, HOST("  a  ")),
	ROW(0, WITH("X:1\r\n")),
	ROW(0, WITH("X:\r\n")),
	ROW(0, WITH("X:    \t  \r\n")),
	ROW(0, WITH("X: \xc3\xa9\r\n")),
	ROW(0, WITH("X: a\tb\r\n")),
	ROW(0, WITH("!#$%&'*+-.^_`|~0aZ: 1\r\n")),
	ROW(0, WITH("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n")),
	ROW(0, WITH("Upgrade: websocket\r\nConnection: upgrade\r\n")),
	ROW(0, WITH("Expect: 100-Continue\r\n")),
	ROW(0, WITH("Connection: close\r\n")),
	ROW(0, WITH("Content-Length: 0\r\n")),
	ROW(0, POST("Content-Length: 5\r\n", "hello")),
	ROW(0, POST("Content-Length: 005\r\n", "hello")),
	ROW(0, POST("Content-Length:  5  \r\n", "hello")),
	ROW(0, POST("Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 5\r\n", "hello")),
	ROW(0,
		POST("Upgrade: x\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n",
			"1\r\nx\r\n0\r\n\r\n")),
	ROW(0, POST("Transfer-Encoding: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n")),
	ROW(0, POST("Transfer-Encoding:\tchunked  \r\n", "0\r\n\r\n")),
	ROW(0,
		POST("Connection: transfer-encoding, content-length, host\r\nContent-Length: 5\r\n",
			"hello")),
	ROW(0, POST("Content-Length:\t5\t\r\n", "hello")),
	ROW(0, CHUNKED("00000000000000000005\r\nhello\r\n0\r\n\r\n")),
	ROW(0, CHUNKED("0\r\n\r\n")),
	ROW(0, CHUNKED("5\r\nhello\r\n0\r\n\r\n")),
	ROW(0, CHUNKED("1\r\nh\r\n4\r\nello\r\n000\r\n\r\n")),
	ROW(0, CHUNKED("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n")),
	ROW(0, CHUNKED("5;name=value\r\nhello\r\n0\r\n\r\n")),
	ROW(0, CHUNKED("5;name=\"a b\"\r\nhello\r\n0\r\n\r\n")),
	ROW(0, CHUNKED("5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n")),
	ROW(0, CHUNKED("5\r\nhello\r\n0\r\nHost: b\r\nAuthorization: x\r\n\r\n")),
	ROW(0, "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
};

static unsigned status_of(const struct judgement *judgement)
{
	if (judgement->problem != PROBLEM_COUNT)
		return problem_row(judgement->problem)->status;
	return judgement->requests == 1 && judgement->left == 0 ? 0 : 1;
}

static void check(const struct row *row, size_t index)
{
	struct http_settings settings = judge_settings();
	struct judgement whole = judge(&settings, BODY_MAX, row->bytes, row->len, 0);

	for (uint64_t split = 0; split < SPLITS; split++) {
		struct judgement other = judge(&settings, BODY_MAX, row->bytes, row->len, split);

		if (status_of(&other) != row->status || other.digest != whole.digest ||
			other.requests != whole.requests)
			fail_msg("row %zu, split %u: status %u (%s) instead of %u: %.*s", index,
				(unsigned)split, status_of(&other),
				other.problem == PROBLEM_COUNT ? "-"
							       : problem_row(other.problem)->code,
				row->status, (int)row->len, row->bytes);
	}
}

#define CHECK_ALL(rows_) \
	for (size_t i = 0; i < sizeof(rows_) / sizeof((rows_)[0]); i++) \
	check(&(rows_)[i], i)

static void bad_request_lines_are_refused(void **state)
{
	CHECK_ALL(request_lines);
}

static void bad_targets_are_refused(void **state)
{
	CHECK_ALL(targets);
}

static void bad_hosts_are_refused(void **state)
{
	CHECK_ALL(hosts);
}

static void bad_headers_are_refused(void **state)
{
	CHECK_ALL(headers);
}

static void bad_framing_is_refused(void **state)
{
	CHECK_ALL(framings);
}

static void sound_requests_are_taken(void **state)
{
	CHECK_ALL(sound);
}

static void the_matrix_has_at_least_150_bad_requests(void **state)
{
	assert_true(sizeof(request_lines) + sizeof(targets) + sizeof(hosts) + sizeof(headers) +
			sizeof(framings) >=
		150 * sizeof(struct row));
}

/* Puts `count` times `filler` between two texts. */
static char *padded(const char *before, const char *filler, size_t count, const char *after)
{
	size_t size = strlen(before) + strlen(filler) * count + strlen(after) + 1;
	char *text = malloc(size), *at = stpcpy(text, before);

	while (count-- > 0)
		at = stpcpy(at, filler);
	strcpy(at, after);
	return text;
}

static void expect_padded(
	const char *before, const char *filler, size_t count, const char *after, unsigned status)
{
	char *text = padded(before, filler, count, after);
	struct row row = {.bytes = text, .len = strlen(text), .status = status};

	check(&row, count);
	free(text);
}

static void a_request_line_of_the_limit_passes_and_one_byte_more_is_a_414(void **state)
{
	size_t fixed = strlen("GET / HTTP/1.1\r\n");

	expect_padded("GET /", "a", 8192 - fixed, " HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	expect_padded("GET /", "a", 8192 - fixed + 1, " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
	expect_padded("GET /", "a", 9000, "", 414);
	expect_padded("", "G", 9000, "", 414);
}

static void headers_of_the_limit_pass_and_one_byte_more_is_a_431(void **state)
{
	size_t fixed = strlen("Host: a\r\nX: \r\n\r\n");

	expect_padded("GET / HTTP/1.1\r\nHost: a\r\nX: ", "x", 32768 - fixed, "\r\n\r\n", 0);
	expect_padded("GET / HTTP/1.1\r\nHost: a\r\nX: ", "x", 32768 - fixed + 1, "\r\n\r\n", 431);
	expect_padded("GET / HTTP/1.1\r\nHost: a\r\n", "y", 40000, "", 431);
}

static void a_hundred_headers_pass_and_one_more_is_a_431(void **state)
{
	expect_padded("GET / HTTP/1.1\r\nHost: a\r\n", "X: 1\r\n", 99, "\r\n", 0);
	expect_padded("GET / HTTP/1.1\r\nHost: a\r\n", "X: 1\r\n", 100, "\r\n", 431);
}

static void chunk_extensions_trailers_and_padding_are_bounded(void **state)
{
	const char *head = CHUNKED("");

	expect_padded(CHUNKED("1;a="), "b", 900, "\r\nx\r\n0\r\n\r\n", 0);
	expect_padded(CHUNKED("1;a="), "b", 2000, "\r\nx\r\n0\r\n\r\n", 400);
	expect_padded(head, "1;a=bbbbbbbbb\r\nx\r\n", 200, "0\r\n\r\n", 400);
	expect_padded(CHUNKED("0\r\n"), "X: 1\r\n", 1000, "\r\n", 0);
	expect_padded(CHUNKED("0\r\n"), "X: 123456789\r\n", 1000, "\r\n", 400);
	expect_padded(head, "0", 60000, "1\r\nx\r\n0\r\n\r\n", 400);
	expect_padded(head, "1\r\nx\r\n", 1024, "0\r\n\r\n", 0);
}

static void pipelined_requests_are_told_apart(void **state)
{
	static const char two[] = POST("Content-Length: 5\r\n", "GET /")
		CHUNKED("3\r\nGET\r\n0\r\n\r\n") GET("/last");
	struct http_settings settings = judge_settings();
	struct judgement whole = judge(&settings, BODY_MAX, two, sizeof(two) - 1, 0);

	assert_int_equal(whole.requests, 3);
	assert_int_equal(whole.problem, PROBLEM_COUNT);
	for (uint64_t split = 1; split < 50; split++)
		assert_true(judge(&settings, BODY_MAX, two, sizeof(two) - 1, split).digest ==
			whole.digest);
}

static void what_follows_a_closing_request_is_not_read(void **state)
{
	static const char bytes[] = WITH("Connection: keep-alive, Close\r\n") GET("/second");
	struct http_settings settings = judge_settings();
	struct judgement judgement = judge(&settings, BODY_MAX, bytes, sizeof(bytes) - 1, 0);

	assert_int_equal(judgement.requests, 1);
	assert_int_equal(judgement.left, sizeof(GET("/second")) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_matrix_has_at_least_150_bad_requests),
		cmocka_unit_test(bad_request_lines_are_refused),
		cmocka_unit_test(bad_targets_are_refused),
		cmocka_unit_test(bad_hosts_are_refused),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(bad_framing_is_refused),
		cmocka_unit_test(sound_requests_are_taken),
		cmocka_unit_test(a_request_line_of_the_limit_passes_and_one_byte_more_is_a_414),
		cmocka_unit_test(headers_of_the_limit_pass_and_one_byte_more_is_a_431),
		cmocka_unit_test(a_hundred_headers_pass_and_one_more_is_a_431),
		cmocka_unit_test(chunk_extensions_trailers_and_padding_are_bounded),
		cmocka_unit_test(pipelined_requests_are_told_apart),
		cmocka_unit_test(what_follows_a_closing_request_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
