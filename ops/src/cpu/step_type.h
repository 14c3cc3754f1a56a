/* cpu/step_type.h - steps of optimizers over one run of a walk, for one type of
 * elements: TYPE, NAME, SQRT.
 */
#define AT(operand) ((TYPE *)(w->at[operand] + i * w->step[operand]))

/* Operands: parameter, gradient, velocity; the new parameter and velocity. */
static void NAME(sgd_run)(const lbo_walk *w, const lbo_sgd_attributes *by,
                          bool moving)
{
    const TYPE rate = (TYPE)by->rate, momentum = (TYPE)by->momentum;
    const TYPE decay = (TYPE)by->decay;

    for (int64_t i = 0; i < w->count; i++) {
        const TYPE p = *AT(0);
        TYPE g = *AT(1);
        if (decay != 0)
            g += decay * p;
        if (moving) {
            const TYPE v = momentum * *AT(2) + g;
            *AT(4) = v;
            g = by->nesterov ? g + momentum * v : v;
        }
        *AT(3) = p - rate * g;
    }
}

/* Operands: parameter, gradient, first and second moment; the new parameter and
 * moments. */
static void NAME(adam_run)(const lbo_walk *w, const adam *by)
{
    const TYPE rate = (TYPE)by->rate, divisor = (TYPE)by->divisor;
    const TYPE beta1 = (TYPE)by->beta1, rest1 = (TYPE)(1 - by->beta1);
    const TYPE beta2 = (TYPE)by->beta2, rest2 = (TYPE)(1 - by->beta2);
    const TYPE epsilon = (TYPE)by->epsilon;
    const TYPE keep = (TYPE)by->keep, decay = (TYPE)by->decay;

    for (int64_t i = 0; i < w->count; i++) {
        const TYPE p = *AT(0) * keep;
        TYPE g = *AT(1);
        if (decay != 0)
            g += decay * p;
        const TYPE m = beta1 * *AT(2) + rest1 * g;
        const TYPE v = beta2 * *AT(3) + rest2 * g * g;
        *AT(5) = m;
        *AT(6) = v;
        *AT(4) = p - rate * m / (SQRT(v) / divisor + epsilon);
    }
}

#undef AT
#undef SQRT
#undef NAME
#undef TYPE
