/* options.c - the command line of train. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "train [options]: trains a model; the loop knows none by name\n"
    "  --model NAME       mlp, cnn, gpt, or the file of a plug-in that brings "
    "one\n"
    "  --device NAME      cpu, opencl, cuda, ...; auto (default): the best "
    "one\n"
    "  --steps N, --epochs N, --batch N, --rate R\n"
    "  --optimizer NAME   adam (default) or sgd\n"
    "  --momentum M, --decay D, --clip NORM, --dropout P\n"
    "  --warmup N         steps until the full rate; --constant: no decline "
    "after\n"
    "  --context N        characters that the gpt sees\n"
    "  --width N, --depth N\n"
    "  --activation NAME  an operator, e.g. a plug-in's\n"
    "  --plugin FILE      opened before anything is made; several are allowed\n"
    "  --data FOLDER      default: data\n"
    "  --seed N\n"
    "  --checkpoint FILE  written at the end, and with --every N in between\n"
    "  --resume           goes on from there\n"
    "  --load FILE        begins with these weights\n"
    "  --batches FILE     tensors x and y, [steps, ...] each, instead of data\n"
    "  --losses FILE      each step's loss, one to a line\n"
    "  --curve FILE       the loss curve, into a page of HTML\n"
    "  --profile          a table of what took the time\n"
    "  --trace FILE       the same as a Chrome trace\n"
    "  --quiet            no progress\n";

enum {
    CONSTANT = 1,
    RESUME,
    PROFILE,
    QUIET,
    HELP,
    TEXT,
    REAL,
    INTEGER,
    PLUGIN
};

/* Where an option's value goes. */
typedef struct target {
    const char *name;
    int kind;
    void *place;
} target;

static bool read_number(const target *t, const char *text)
{
    char *end;

    if (t->kind == REAL)
        *(double *)t->place = strtod(text, &end);
    else
        *(int64_t *)t->place = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

static bool store(options *o, const target *t, const char *text)
{
    switch (t->kind) {
    case TEXT:
        *(const char **)t->place = text;
        return true;
    case REAL:
    case INTEGER:
        return read_number(t, text);
    case PLUGIN:
        if (o->plugin_count == sizeof o->plugins / sizeof *o->plugins)
            return false;
        o->plugins[o->plugin_count++] = text;
        return true;
    default:
        *(bool *)t->place = true;
        return true;
    }
}

static int complain(const char *what, const char *which)
{
    fprintf(stderr, "train: %s%s (--help shows what there is)\n", what, which);
    return 2;
}

static int check(const options *o)
{
    if (o->steps < 0 || o->epochs < 0 || o->batch < 0 || o->every < 0 ||
        o->context < 1 || o->width < 0 || o->depth < 0 || o->warmup < 0)
        return complain("a number below 0, or a context of 0", "");
    if (strcmp(o->optimizer, "adam") != 0 && strcmp(o->optimizer, "sgd") != 0)
        return complain("--optimizer is adam or sgd, not ", o->optimizer);
    if (o->resume && o->checkpoint == NULL)
        return complain("--resume wants --checkpoint", "");
    return -1;
}

int options_read(options *o, int argc, char **argv)
{
    *o = (options){.model = "mlp",
                   .device = "auto",
                   .data = "data",
                   .optimizer = "adam",
                   .momentum = 0.9,
                   .context = 64,
                   .seed = 1};
    const target targets[] = {
        {"model", TEXT, &o->model},
        {"device", TEXT, &o->device},
        {"data", TEXT, &o->data},
        {"activation", TEXT, &o->activation},
        {"plugin", PLUGIN, NULL},
        {"optimizer", TEXT, &o->optimizer},
        {"rate", REAL, &o->rate},
        {"momentum", REAL, &o->momentum},
        {"decay", REAL, &o->decay},
        {"clip", REAL, &o->clip},
        {"dropout", REAL, &o->dropout},
        {"steps", INTEGER, &o->steps},
        {"epochs", INTEGER, &o->epochs},
        {"batch", INTEGER, &o->batch},
        {"context", INTEGER, &o->context},
        {"width", INTEGER, &o->width},
        {"depth", INTEGER, &o->depth},
        {"warmup", INTEGER, &o->warmup},
        {"seed", INTEGER, &o->seed},
        {"checkpoint", TEXT, &o->checkpoint},
        {"every", INTEGER, &o->every},
        {"load", TEXT, &o->load},
        {"batches", TEXT, &o->batches},
        {"losses", TEXT, &o->losses},
        {"trace", TEXT, &o->trace},
        {"curve", TEXT, &o->curve},
        {"resume", RESUME, &o->resume},
        {"profile", PROFILE, &o->profile},
        {"constant", CONSTANT, &o->constant},
        {"quiet", QUIET, &o->quiet},
    };
    enum { COUNT = sizeof targets / sizeof *targets };
    struct option known[COUNT + 2] = {{NULL, 0, NULL, 0}};
    int index;

    for (int i = 0; i < COUNT; i++)
        known[i] =
            (struct option){targets[i].name, targets[i].kind >= TEXT, NULL, i};
    known[COUNT] = (struct option){"help", 0, NULL, COUNT};
    while ((index = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (index == COUNT)
            return fputs(help, stdout) == EOF;
        if (index == '?')
            return complain("an option is not known", "");
        if (!store(o, &targets[index], optarg))
            return complain("no number, or too many of --",
                            targets[index].name);
    }
    return optind < argc ? complain("not understood: ", argv[optind])
                         : check(o);
}
