/* latebind: the command-line program. The first word is a verb, the rest its
 * options:
 *
 *   latebind replay FILE    replays a recorded program under cache policies
 *
 * Exit status: 0 all is well, 1 something was found to differ, 2 the usage or
 * the input is wrong. What was asked for goes to stdout, all else to stderr. */
#include "knobs.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>

enum { FINE = 0, DIFFERS = 1, WRONG = 2, POLICIES = 4, MOST_ROUNDS = 99 };

static const char usage[] =
    "usage: latebind replay FILE [OPTION]...\n"
    "       latebind --help | --version\n"
    "\n"
    "Replays the attribute look-ups that a trace (plain or .xz) recorded of a\n"
    "program, and prints what they cost under each cache policy.\n"
    "\n"
    "  --policy NAME           search, table64, site, table, or all "
    "(default)\n";

static const char more_usage[] =
    "Output:\n"
    "  --rounds N              timed rounds, 0 to 99 (default 3; 0: no times)\n"
    "  --expect FILE           replay its rows, too, and compare the counts\n"
    "  --json                  JSON instead of tables\n"
    "  --report DIR            write DIR/replay.html, with charts\n"
    "\n"
    "Exit status: 0 fine; 1 an outcome or a count differed; 2 wrong usage or\n"
    "input. See docs/replay.md.\n";

typedef struct job {
    const char *file, *expect, *folder;
    bool policies[POLICIES]; /* by lb_cache_policy */
    lb_object_options options;
    unsigned rounds;
    bool json;
} job;

/* ---- The command line -------------------------------------------------- */

static bool take_policy(job *j, const char *name, fault *why)
{
    lb_cache_policy policy;
    const bool all = strcmp(name, "all") == 0;
    if (!all && !knobs_policy(name, &policy))
        return fault_set(why, "--policy", 0,
                         "\"%s\" is not accepted; it takes search, table64, "
                         "site, table or all",
                         show(name).text);
    for (int i = 0; i < POLICIES; i++)
        j->policies[i] = all || i == (int)policy;
    return true;
}

static bool take_rounds(job *j, const char *value, fault *why)
{
    char *end;
    const unsigned long rounds = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || rounds > MOST_ROUNDS)
        return fault_set(why, "--rounds", 0,
                         "\"%s\" is not accepted; it takes a number from 0 to "
                         "%d",
                         show(value).text, MOST_ROUNDS);
    j->rounds = (unsigned)rounds;
    return true;
}

/* Options with a value that are not knobs. */
static bool take_valued(job *j, const char *name, const char *value, fault *why)
{
    if (strcmp(name, "--policy") == 0)
        return take_policy(j, value, why);
    if (strcmp(name, "--rounds") == 0)
        return take_rounds(j, value, why);
    if (strcmp(name, "--expect") == 0)
        j->expect = value;
    else
        j->folder = value;
    return true;
}

static bool is_valued(const char *name)
{
    static const char *const names[] = {"--policy", "--rounds", "--expect",
                                        "--report"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The one argument that is no option. */
static bool take_file(job *j, const char *word, fault *why)
{
    if (word[0] == '-' && word[1])
        return fault_set(why, show(word).text, 0,
                         "not an option of replay; see latebind --help");
    if (j->file)
        return fault_set(why, show(word).text, 0,
                         "one file is replayed; the first was %s",
                         show(j->file).text);
    j->file = word;
    return true;
}

/* Takes the word at argv[*at], and its value; *at moves behind them. */
static bool take_word(job *j, int argc, char **argv, int *at, fault *why)
{
    const char *word = argv[*at];
    const char *value = *at + 1 < argc ? argv[*at + 1] : NULL;
    ++*at;
    if (strcmp(word, "--json") == 0)
        return j->json = true;
    if (is_valued(word)) {
        ++*at;
        return value ? take_valued(j, word, value, why)
                     : fault_set(why, word, 0, "a value is missing");
    }
    const knobs_taken taken = knobs_take(&j->options, word, value, why);
    *at += taken == KNOBS_TWO;
    return taken == KNOBS_UNKNOWN ? take_file(j, word, why)
                                  : taken != KNOBS_WRONG;
}

static bool take_words(job *j, int argc, char **argv, fault *why)
{
    for (int at = 0; at < argc;)
        if (!take_word(j, argc, argv, &at, why))
            return false;
    if (j->file == NULL)
        return fault_set(why, "replay", 0,
                         "no file; usage: latebind replay FILE [OPTION]...");
    const bool only_site =
        j->policies[LB_POLICY_SITE] && !j->policies[LB_POLICY_TABLE64];
    if (only_site && j->options.when_full == LB_FULL_HIERARCHY)
        return fault_set(why, "--when-full", 0,
                         "hierarchy numbers names, and site numbers places in "
                         "the code; it takes clear, stop or poor with it");
    return true;
}

/* ---- replay ------------------------------------------------------------ */

/* The plain search first, then the policies in the order of their history. */
static size_t plan_runs(const job *j, replay_run *runs)
{
    static const lb_cache_policy history[] = {
        LB_POLICY_SEARCH, LB_POLICY_TABLE64, LB_POLICY_SITE, LB_POLICY_TABLE};
    size_t count = 1;
    runs[0].options = (lb_object_options){
        .order = j->options.order, .policy = LB_POLICY_SEARCH, .counting = 1};
    for (size_t i = 0; i < POLICIES; i++) {
        const lb_object_options options =
            knobs_for_policy(j->options, history[i]);
        const bool is_first =
            history[i] == LB_POLICY_SEARCH && !knobs_marks(&options);
        if (j->policies[history[i]] && !is_first)
            runs[count++].options = options;
    }
    return count;
}

/* Counts, then looks whether it is the same without counting. */
static bool count_all(replay_report *r, fault *why)
{
    for (size_t i = 0; i < r->run_count; i++) {
        replay_run plain = {.options = r->runs[i].options};
        plain.options.counting = 0;
        if (!replay_check(r->trace, &r->runs[i], why) ||
            !replay_check(r->trace, &plain, why))
            return false;
        if (r->runs[i].differing == 0 && plain.differing) {
            r->runs[i].differing = plain.differing;
            memcpy(r->runs[i].first, plain.first, sizeof plain.first);
        }
        r->runs[i].options.counting = 0;
    }
    return true;
}

/* What the page timed is not timed again. */
static bool time_all(const job *j, replay_report *r, const page *p, fault *why)
{
    bool timed = p != NULL;
    for (size_t i = 0; i < r->run_count && timed; i++)
        timed = page_times(p, &r->runs[i]);
    return j->rounds == 0 || timed ||
           replay_time(r->trace, r->runs, r->run_count, j->rounds, why);
}

static bool run_rows(const job *j, replay_report *r, fault *why)
{
    if (j->expect == NULL)
        return true;
    if (!rows_read(&r->rows, j->expect, why))
        return false;
    for (size_t i = 0; i < r->rows.count; i++)
        if (!replay_check(r->trace, &r->rows.all[i].run, why))
            return false;
    return true;
}

static bool write_output(const job *j, const replay_report *r, page *p,
                         fault *why)
{
    if (j->json)
        replay_report_json(stdout, r);
    else
        replay_report_text(stdout, r);
    return p == NULL ||
           page_write(j->json ? stderr : stdout, j->folder, p, r, why);
}

static bool run_all(const job *j, replay_report *r, fault *why)
{
    page *p = NULL;
    if (!count_all(r, why) || !run_rows(j, r, why))
        return false;
    if (j->folder && (p = page_make(r->trace, j->rounds, why)) == NULL)
        return false;
    const bool good = time_all(j, r, p, why) && write_output(j, r, p, why);
    page_free(p);
    return good;
}

static int run_job(const job *j, replay_report *r, fault *why)
{
    r->run_count = plan_runs(j, r->runs);
    if (!run_all(j, r, why))
        return WRONG;
    return replay_report_differences(stderr, r) ? DIFFERS : FINE;
}

static int replay(int argc, char **argv, fault *why)
{
    static replay_run runs[POLICIES + 1];
    job j = {.options = {.order = LB_ORDER_1998, .counting = 1}, .rounds = 3};
    replay_report r = {.runs = runs};
    take_policy(&j, "all", why);
    if (!take_words(&j, argc, argv, why))
        return WRONG;
    trace *t = trace_read_file(j.file, why);
    if (t == NULL)
        return WRONG;
    r.trace = t;
    const int result = run_job(&j, &r, why);
    rows_free(&r.rows);
    trace_free(t);
    return result;
}

/* ---- Verbs ------------------------------------------------------------- */

static void print_usage(void)
{
    fputs(usage, stdout);
    fputs(knobs_usage, stdout);
    fputs(more_usage, stdout);
}

static int run_verb(int argc, char **argv, fault *why)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "--help") == 0) {
        print_usage();
        return FINE;
    }
    if (strcmp(verb, "--version") == 0) {
        puts("latebind " LB_VERSION);
        return FINE;
    }
    if (strcmp(verb, "replay") == 0) {
        if (argc == 3 && strcmp(argv[2], "--help") == 0) {
            print_usage();
            return FINE;
        }
        return replay(argc - 2, argv + 2, why);
    }
    fault_set(why, *verb ? show(verb).text : "latebind", 0,
              "the verb is replay, --help or --version");
    return WRONG;
}

int main(int argc, char **argv)
{
    fault why = {""};
    int result = run_verb(argc, argv, &why);
    if (result == WRONG)
        fprintf(stderr, "latebind: %s\n", why.text);
    if (fflush(stdout) != 0 && result == FINE) {
        perror("latebind: stdout");
        result = WRONG;
    }
    return result;
}
