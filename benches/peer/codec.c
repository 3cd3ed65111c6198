/* The peer of benches/codec.rs: libwbxml2 and libxml2 on the same files.
 *
 * usage: codec OPERATION FILE TIMES
 *   wbxml-sax   WBXML to events          wbxml-tree  WBXML to libwbxml's tree
 *   tree2wbxml  that tree to WBXML       tree2xml    that tree to text XML
 *   xml2-sax    text XML to events
 * work() is one repetition, and is all that callgrind collects.
 *
 * libwbxml2 exports its parser and encoder, but its public header declares only the conversions, so
 * what is used of them is declared here.
 */
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wbxml/wbxml.h>

typedef struct {
    void (*start_document)(void *, int, const void *);
    void (*end_document)(void *);
    void (*start)(void *, void *, void **, int);
    void (*end)(void *, void *, int);
    void (*text)(void *, unsigned char *, unsigned, unsigned);
    void (*instruction)(void *, const unsigned char *, unsigned char *);
} Handler;

extern void *wbxml_parser_create(void);
extern void wbxml_parser_set_content_handler(void *, Handler *);
extern int wbxml_parser_parse(void *, unsigned char *, unsigned);
extern void wbxml_parser_destroy(void *);
extern int wbxml_tree_from_wbxml(unsigned char *, unsigned, int, int, void **);
extern void wbxml_tree_destroy(void *);
extern void *wbxml_encoder_create_real(void);
extern void wbxml_encoder_set_tree(void *, void *);
extern void wbxml_encoder_set_use_strtbl(void *, unsigned char);
extern int wbxml_encoder_encode_tree_to_wbxml(void *, unsigned char **, unsigned *);
extern int wbxml_encoder_encode_tree_to_xml(void *, unsigned char **, unsigned *);
extern void wbxml_encoder_destroy(void *);

static unsigned long events;
static unsigned char *in;
static long in_len;
static void *tree;
static unsigned out_len;
static int operation;

static void start(void *c, void *t, void **a, int e) { (void)c; (void)t; (void)a; (void)e; events++; }
static void end(void *c, void *t, int e) { (void)c; (void)t; (void)e; events++; }
static void text(void *c, unsigned char *t, unsigned s, unsigned l)
{
    (void)c; (void)t; (void)s; (void)l;
    events++;
}

static int wbxml_events(void)
{
    Handler handler = { .start = start, .end = end, .text = text };
    void *parser = wbxml_parser_create();
    wbxml_parser_set_content_handler(parser, &handler);
    int failed = wbxml_parser_parse(parser, in, (unsigned)in_len);
    wbxml_parser_destroy(parser);
    return failed;
}

static int read_tree(void **into)
{
    return wbxml_tree_from_wbxml(in, (unsigned)in_len, 0, 0, into);
}

static int build_tree(void)
{
    void *built = NULL;
    int failed = read_tree(&built);
    if (built)
        wbxml_tree_destroy(built);
    return failed;
}

static int encode(int (*to)(void *, unsigned char **, unsigned *))
{
    unsigned char *out = NULL;
    void *encoder = wbxml_encoder_create_real();
    wbxml_encoder_set_tree(encoder, tree);
    wbxml_encoder_set_use_strtbl(encoder, 0);
    int failed = to(encoder, &out, &out_len);
    free(out);
    wbxml_encoder_destroy(encoder);
    return failed;
}

static void xml_start(void *c, const xmlChar *n, const xmlChar *p, const xmlChar *u, int nn,
                      const xmlChar **ns, int na, int nd, const xmlChar **a)
{
    (void)c; (void)n; (void)p; (void)u; (void)nn; (void)ns; (void)na; (void)nd; (void)a;
    events++;
}
static void xml_end(void *c, const xmlChar *n, const xmlChar *p, const xmlChar *u)
{
    (void)c; (void)n; (void)p; (void)u;
    events++;
}
static void xml_text(void *c, const xmlChar *t, int l) { (void)c; (void)t; (void)l; events++; }

static int xml_events(void)
{
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = xml_start;
    handler.endElementNs = xml_end;
    handler.characters = xml_text;
    handler.cdataBlock = xml_text;
    return xmlSAXUserParseMemory(&handler, NULL, (const char *)in, (int)in_len);
}

__attribute__((noinline)) int work(void)
{
    switch (operation) {
    case 0: return wbxml_events();
    case 1: return build_tree();
    case 2: return encode(wbxml_encoder_encode_tree_to_wbxml);
    case 3: return encode(wbxml_encoder_encode_tree_to_xml);
    default: return xml_events();
    }
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "wbxml-sax", "wbxml-tree", "tree2wbxml", "tree2xml", "xml2-sax" };
    FILE *file = argc == 4 ? fopen(argv[2], "rb") : NULL;
    if (!file)
        return 1;
    while (operation < 5 && strcmp(argv[1], names[operation]))
        operation++;
    fseek(file, 0, SEEK_END);
    in_len = ftell(file);
    rewind(file);
    in = malloc((size_t)in_len + 1);
    if (operation == 5 || !in || fread(in, 1, (size_t)in_len, file) != (size_t)in_len)
        return 1;
    in[in_len] = 0;
    fclose(file);
    if ((operation == 2 || operation == 3) && read_tree(&tree))
        return 2;
    int failed = 0;
    for (int times = atoi(argv[3]); times > 0; times--)
        failed |= work();
    printf("%s in=%ld out=%u events=%lu\n", argv[1], in_len, out_len, events);
    if (tree)
        wbxml_tree_destroy(tree);
    free(in);
    xmlCleanupParser();
    return failed ? 3 : 0;
}
