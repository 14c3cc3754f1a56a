/* text.h - text that comes from outside, made fit for where it goes. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Why something failed, for people: "FILE:LINE: what is wrong, what is
 * accepted". */
typedef struct fault {
    char text[1000];
} fault;

/* Fills `why` and returns false. `line` 0: the file as a whole. */
bool fault_set(fault *why, const char *file, uint64_t line, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* A piece of somebody's text that may stand in a message: cut, and without
 * characters that would act on a terminal. */
typedef struct shown {
    char text[44];
} shown;
shown show(const char *text);

bool is_utf8(const char *text);

/* 1234567 as 1,234,567. */
typedef struct digits {
    char text[32];
} digits;
digits with_commas(uint64_t number);

/* Writes a text between the quotes of JSON; bytes that are not UTF-8 become
 * U+FFFD. */
void write_json_text(FILE *out, const char *text);

/* Writes a text into HTML, in the same way. */
void write_html_text(FILE *out, const char *text);

#endif
