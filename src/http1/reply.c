// SPDX-License-Identifier: Apache-2.0
#include "http1/reply.h"

#include <time.h>

const char *reply_reason(uint16_t status) {
    static const struct {
        uint16_t status;
        const char *reason;
    } reasons[] = {
        {200, "OK"                             },
        {201, "Created"                        },
        {202, "Accepted"                       },
        {204, "No Content"                     },
        {206, "Partial Content"                },
        {301, "Moved Permanently"              },
        {302, "Found"                          },
        {303, "See Other"                      },
        {304, "Not Modified"                   },
        {307, "Temporary Redirect"             },
        {308, "Permanent Redirect"             },
        {400, "Bad Request"                    },
        {401, "Unauthorized"                   },
        {403, "Forbidden"                      },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {406, "Not Acceptable"                 },
        {408, "Request Timeout"                },
        {409, "Conflict"                       },
        {411, "Length Required"                },
        {412, "Precondition Failed"            },
        {413, "Content Too Large"              },
        {414, "URI Too Long"                   },
        {415, "Unsupported Media Type"         },
        {416, "Range Not Satisfiable"          },
        {417, "Expectation Failed"             },
        {421, "Misdirected Request"            },
        {422, "Unprocessable Content"          },
        {426, "Upgrade Required"               },
        {428, "Precondition Required"          },
        {429, "Too Many Requests"              },
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"          },
        {501, "Not Implemented"                },
        {502, "Bad Gateway"                    },
        {503, "Service Unavailable"            },
        {504, "Gateway Timeout"                },
        {505, "HTTP Version Not Supported"     },
        {507, "Insufficient Storage"           },
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "";
}

/// IMF-fixdate (RFC 9110 section 5.6.7), whose names are those of the C locale.
static void reply_date(Text *out, Time now) {
    time_t seconds = (time_t)(now.ms / 1000);
    struct tm parts;
    char text[40];
    gmtime_r(&seconds, &parts);
    size_t len = strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    reply_field(out, "Date", (Str){text, len});
}

void reply_begin(Text *out, const ReplyStart *start) {
    text_print(out, "HTTP/1.1 %u %s\r\n", start->status, reply_reason(start->status));
    reply_date(out, start->now);
    if (start->is_open && start->minor > 0)
        reply_field(out, "Transfer-Encoding", S("chunked"));
    else if (!start->is_open && start->status != 204 && start->status != 304)
        text_print(out, "Content-Length: %llu\r\n", (unsigned long long)start->length);
    if (!start->is_kept)
        reply_field(out, "Connection", S("close"));
    else if (start->minor == 0)
        reply_field(out, "Connection", S("keep-alive"));
}

void reply_field(Text *out, const char *name, Str value) {
    if (!value.ptr) return;
    text_add(out, str_from(name));
    text_add(out, S(": "));
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        text_add_char(out, (c < ' ' && c != '\t') || c == 0x7f ? ' ' : (char)c);
    }
    text_add(out, S("\r\n"));
}

void reply_end(Text *out) {
    text_add(out, S("\r\n"));
}

void reply_chunk(Text *out, Str bytes) {
    text_print(out, "%zx\r\n", bytes.len);
    text_add(out, bytes);
    text_add(out, S("\r\n"));
}

void reply_chunk_last(Text *out) {
    text_add(out, S("0\r\n\r\n"));
}

void reply_continue(Text *out) {
    text_add(out, S("HTTP/1.1 100 Continue\r\n\r\n"));
}
