/*
 * ModSecurity 3, asked line by line: what the tests compare with.
 *
 * cc oracle.c -o oracle -lmodsecurity
 *
 * Commands, one a line; bytes in hexadecimal:
 *   rules TEXT          forgets all rules and reads this text (a tab is a line end)       ok | error TEXT
 *   add TEXT            reads this text in addition                                      ok | error TEXT
 *   file PATH           reads a file in addition                                         ok | error TEXT
 *   value HEX           a request whose field X is this                                  pass | STATUS URL
 *   request METHOD URI  begins a request; field NAME VALUE and body HEX add to it
 *   run                 ends it: one `log TEXT` a match that is told, then               pass | STATUS URL
 */
#define _GNU_SOURCE
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ModSecurity *engine;
static RulesSet *rules;
static Transaction *transaction;

static void tell(void *data, const void *message) {
    (void)data;
    fputs("log ", stdout);
    for (const char *at = message; *at; at++) putchar(*at == '\n' || *at == '\r' ? ' ' : *at);
    putchar('\n');
}

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Turns hexadecimal digits into the bytes they stand for, in place. */
static size_t unhex(char *text) {
    size_t len = 0;
    for (; digit(text[2 * len]) >= 0 && digit(text[2 * len + 1]) >= 0; len++)
        text[len] = (char)(digit(text[2 * len]) << 4 | digit(text[2 * len + 1]));
    return len;
}

static void forget(void) {
    if (rules) msc_rules_cleanup(rules);
    rules = msc_create_rules_set();
}

static void answer(int read, const char *error) {
    if (read >= 0) puts("ok");
    else printf("error %s\n", error ? error : "unknown");
}

static void begin(const char *method, const char *uri) {
    transaction = msc_new_transaction(engine, rules, NULL);
    msc_process_connection(transaction, "192.0.2.1", 40000, "192.0.2.2", 80);
    msc_process_uri(transaction, uri, method, "1.1");
}

/* Whether a rule has stopped it; what is told of that one does not go to the log by itself. */
static int stopped(ModSecurityIntervention *what) {
    if (!msc_intervention(transaction, what)) return 0;
    if (what->log) tell(NULL, what->log);
    return 1;
}

static void end(int bodies) {
    ModSecurityIntervention what = {.status = 200};
    int done = (msc_process_request_headers(transaction), stopped(&what));
    if (bodies && !done) done = (msc_process_request_body(transaction), stopped(&what));
    if (bodies && !done) done = (msc_process_response_headers(transaction, 200, "HTTP/1.1"), stopped(&what));
    if (bodies && !done) done = (msc_process_response_body(transaction), stopped(&what));
    if (bodies) msc_process_logging(transaction);
    if (done) printf("%d %s\n", what.status, what.url ? what.url : "");
    else puts("pass");
    free(what.url);
    free(what.log);
    msc_transaction_cleanup(transaction);
    transaction = NULL;
}

/* The next word of a line, ended by a NUL; what follows it is left in `line`. */
static char *word(char **line) {
    char *at = strsep(line, " ");
    return at ? at : "";
}


int main(void) {
    char *line = NULL;
    size_t space = 0;
    ssize_t len;
    engine = msc_init();
    msc_set_log_cb(engine, tell);
    forget();
    while ((len = getline(&line, &space, stdin)) > 0) {
        const char *error = NULL;
        char *rest = line;
        if (line[len - 1] == '\n') line[len - 1] = 0;
        const char *command = word(&rest);
        if (!rest) rest = "";
        if (!strcmp(command, "rules") || !strcmp(command, "add")) {
            if (command[0] == 'r') forget();
            for (char *at = rest; (at = strchr(at, '\t'));) *at = '\n';
            answer(msc_rules_add(rules, rest, &error), error);
        } else if (!strcmp(command, "file")) {
            answer(msc_rules_add_file(rules, rest, &error), error);
        } else if (!strcmp(command, "value")) {
            begin("GET", "/");
            size_t bytes = unhex(rest);
            msc_add_n_request_header(transaction, (const unsigned char *)"X", 1, (const unsigned char *)rest, bytes);
            end(0);
        } else if (!strcmp(command, "request")) {
            char *method = word(&rest);
            begin(method, rest ? rest : "/");
        } else if (!strcmp(command, "field") && transaction) {
            char *name = word(&rest), *value = rest ? rest : strdup("");
            size_t name_len = unhex(name);
            msc_add_n_request_header(transaction, (const unsigned char *)name, name_len,
                                     (const unsigned char *)value, unhex(value));
        } else if (!strcmp(command, "body") && transaction) {
            size_t bytes = unhex(rest);
            msc_append_request_body(transaction, (const unsigned char *)rest, bytes);
        } else if (!strcmp(command, "run") && transaction) {
            end(1);
        } else {
            printf("error unknown command\n");
        }
        fflush(stdout);
    }
    return 0;
}
