/* The drawing job in C++, by double dispatch through virtual functions.
 *
 * `first.accept(second)` is a virtual call that finds the class of the first
 * shape, whose override calls `second.visit(first)` with its own static type;
 * that is the second virtual call, overloaded by the first shape's class and
 * overridden in the second's.  The overloads in Shape do the general search,
 * so that a class overrides only the pairs it knows better.  This is what one
 * writes by hand in C++: a new class is a new overload in Shape. */
#include "drawing.h"

#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace
{

/* What one run works with. */
struct Work {
    hits found;
    drawing_result *result;
    bool count_calls;
};

class Line;
class Quadratic;
class Cubic;
class Arc;
class Polygon;
class Rect;
class Ellipse;
class Circle;

class Shape
{
  public:
    explicit Shape(const box &bounds) : bounds_(bounds)
    {
    }
    Shape(const Shape &) = default;
    Shape &operator=(const Shape &) = delete;
    virtual ~Shape() = default;

    const box &bounds() const
    {
        return bounds_;
    }
    virtual drawing_kind kind() const = 0;
    virtual trace traced() const = 0;

    /* Intersects this shape, the first, with `second`. */
    virtual pair_status accept(const Shape &second, Work &work) const = 0;

    /* Intersects `first` with this shape, the second. */
    virtual pair_status visit(const Line &first, Work &work) const;
    virtual pair_status visit(const Quadratic &first, Work &work) const;
    virtual pair_status visit(const Cubic &first, Work &work) const;
    virtual pair_status visit(const Arc &first, Work &work) const;
    virtual pair_status visit(const Polygon &first, Work &work) const;
    virtual pair_status visit(const Rect &first, Work &work) const;
    virtual pair_status visit(const Ellipse &first, Work &work) const;
    virtual pair_status visit(const Circle &first, Work &work) const;

  private:
    box bounds_;
};

pair_status intersect(const Shape &first, const Shape &second, Work &work)
{
    if (DRAWING_COUNTS && work.count_calls)
        work.result->calls[first.kind()][second.kind()]++;
    return first.accept(second, work);
}

pair_status search(const Shape &first, const Shape &second, Work &work)
{
    if (boxes_apart(&first.bounds(), &second.bounds()))
        return PAIR_DONE;
    const trace a = first.traced(), b = second.traced();
    return trace_trace(&a, &b, &work.found);
}

/* ---- Segments -------------------------------------------------------- */

class Line final : public Shape
{
  public:
    explicit Line(const line &data) : Shape(data.bounds), data(data)
    {
    }
    drawing_kind kind() const override
    {
        return DRAWING_LINE;
    }
    trace traced() const override
    {
        return trace_line(&data);
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Shape::visit;
    pair_status visit(const Line &first, Work &work) const override;
    pair_status visit(const Quadratic &first, Work &work) const override;
    pair_status visit(const Cubic &first, Work &work) const override;
    pair_status visit(const Arc &first, Work &work) const override;
    pair_status visit(const Ellipse &first, Work &work) const override;
    pair_status visit(const Circle &first, Work &work) const override;

    const line data;
};

class Quadratic final : public Shape
{
  public:
    explicit Quadratic(const quadratic &data) : Shape(data.bounds), data(data)
    {
    }
    drawing_kind kind() const override
    {
        return DRAWING_QUADRATIC;
    }
    trace traced() const override
    {
        return trace_quadratic(&data);
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Shape::visit;
    pair_status visit(const Line &first, Work &work) const override;

    const quadratic data;
};

class Cubic final : public Shape
{
  public:
    explicit Cubic(const cubic &data) : Shape(data.bounds), data(data)
    {
    }
    drawing_kind kind() const override
    {
        return DRAWING_CUBIC;
    }
    trace traced() const override
    {
        return trace_cubic(&data);
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Shape::visit;
    pair_status visit(const Line &first, Work &work) const override;

    const cubic data;
};

class Arc final : public Shape
{
  public:
    explicit Arc(const arc &data) : Shape(data.bounds), data(data)
    {
    }
    drawing_kind kind() const override
    {
        return DRAWING_ARC;
    }
    trace traced() const override
    {
        return trace_arc(&data);
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Shape::visit;
    pair_status visit(const Line &first, Work &work) const override;
    pair_status visit(const Arc &first, Work &work) const override;
    pair_status visit(const Circle &first, Work &work) const override;

    const arc data;
};

/* ---- Outlines -------------------------------------------------------- */

class Polygon : public Shape
{
  public:
    explicit Polygon(const polygon &data) : Shape(data.bounds)
    {
        const size_t count = polygon_edge_count(&data);
        edges_.reserve(count);
        for (size_t i = 0; i < count; i++)
            edges_.emplace_back(polygon_edge(&data, i));
    }
    drawing_kind kind() const override
    {
        return DRAWING_POLYGON;
    }
    trace traced() const override /* never the whole: see each_edge */
    {
        return edges_.front().traced();
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Shape::visit;
    pair_status visit(const Line &first, Work &work) const override;
    pair_status visit(const Quadratic &first, Work &work) const override;
    pair_status visit(const Cubic &first, Work &work) const override;
    pair_status visit(const Arc &first, Work &work) const override;
    pair_status visit(const Ellipse &first, Work &work) const override;
    pair_status visit(const Circle &first, Work &work) const override;

    pair_status each_edge(const Shape &other, Work &work) const
    {
        if (boxes_apart(&bounds(), &other.bounds()))
            return PAIR_DONE;
        for (const Line &edge : edges_) {
            const pair_status status = intersect(edge, other, work);
            if (status != PAIR_DONE)
                return status;
        }
        return PAIR_DONE;
    }

  private:
    std::vector<Line> edges_;
};

class Rect final : public Polygon
{
  public:
    explicit Rect(const rect &data) : Polygon(data.base), data(data)
    {
    }
    drawing_kind kind() const override
    {
        return DRAWING_RECT;
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Polygon::visit;
    pair_status visit(const Rect &first, Work &work) const override;

    const rect data; /* its points stay the collection's */
};

class Ellipse : public Shape
{
  public:
    explicit Ellipse(const ellipse &data) : Shape(data.bounds), data(data)
    {
    }
    drawing_kind kind() const override
    {
        return DRAWING_ELLIPSE;
    }
    trace traced() const override
    {
        return trace_ellipse(&data);
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Shape::visit;
    pair_status visit(const Line &first, Work &work) const override;

    const ellipse data;
};

class Circle final : public Ellipse
{
  public:
    explicit Circle(const circle &data) : Ellipse(data.base)
    {
        round.base = data.base;
    }
    drawing_kind kind() const override
    {
        return DRAWING_CIRCLE;
    }
    pair_status accept(const Shape &second, Work &work) const override
    {
        return second.visit(*this, work);
    }

    using Ellipse::visit;
    pair_status visit(const Line &first, Work &work) const override;
    pair_status visit(const Arc &first, Work &work) const override;
    pair_status visit(const Circle &first, Work &work) const override;

    circle round;
};

/* ---- Pairs ----------------------------------------------------------- */

/* What to do after a function declined. */
pair_status or_search(pair_status status, const Shape &first,
                      const Shape &second, Work &work)
{
    return status == PAIR_DECLINED ? search(first, second, work) : status;
}

pair_status Shape::visit(const Line &first, Work &work) const
{
    return search(first, *this, work);
}

pair_status Shape::visit(const Quadratic &first, Work &work) const
{
    return search(first, *this, work);
}

pair_status Shape::visit(const Cubic &first, Work &work) const
{
    return search(first, *this, work);
}

pair_status Shape::visit(const Arc &first, Work &work) const
{
    return search(first, *this, work);
}

pair_status Shape::visit(const Polygon &first, Work &work) const
{
    return first.each_edge(*this, work);
}

pair_status Shape::visit(const Rect &first, Work &work) const
{
    return first.each_edge(*this, work);
}

pair_status Shape::visit(const Ellipse &first, Work &work) const
{
    return search(first, *this, work);
}

pair_status Shape::visit(const Circle &first, Work &work) const
{
    return search(first, *this, work);
}

pair_status Line::visit(const Line &first, Work &work) const
{
    return or_search(line_line(&first.data, &data, &work.found), first, *this,
                     work);
}

pair_status Line::visit(const Quadratic &first, Work &work) const
{
    return or_search(line_quadratic(&data, &first.data, &work.found), first,
                     *this, work);
}

pair_status Line::visit(const Cubic &first, Work &work) const
{
    return or_search(line_cubic(&data, &first.data, &work.found), first, *this,
                     work);
}

pair_status Line::visit(const Arc &first, Work &work) const
{
    return or_search(line_arc(&data, &first.data, &work.found), first, *this,
                     work);
}

pair_status Line::visit(const Ellipse &first, Work &work) const
{
    return or_search(line_ellipse(&data, &first.data, &work.found), first,
                     *this, work);
}

pair_status Line::visit(const Circle &first, Work &work) const
{
    return or_search(line_circle(&data, &first.round, &work.found), first,
                     *this, work);
}

pair_status Quadratic::visit(const Line &first, Work &work) const
{
    return or_search(line_quadratic(&first.data, &data, &work.found), first,
                     *this, work);
}

pair_status Cubic::visit(const Line &first, Work &work) const
{
    return or_search(line_cubic(&first.data, &data, &work.found), first, *this,
                     work);
}

pair_status Arc::visit(const Line &first, Work &work) const
{
    return or_search(line_arc(&first.data, &data, &work.found), first, *this,
                     work);
}

pair_status Arc::visit(const Arc &first, Work &work) const
{
    return or_search(arc_arc(&first.data, &data, &work.found), first, *this,
                     work);
}

pair_status Arc::visit(const Circle &first, Work &work) const
{
    return or_search(arc_circle(&data, &first.round, &work.found), first, *this,
                     work);
}

pair_status Polygon::visit(const Line &first, Work &work) const
{
    return each_edge(first, work);
}

pair_status Polygon::visit(const Quadratic &first, Work &work) const
{
    return each_edge(first, work);
}

pair_status Polygon::visit(const Cubic &first, Work &work) const
{
    return each_edge(first, work);
}

pair_status Polygon::visit(const Arc &first, Work &work) const
{
    return each_edge(first, work);
}

pair_status Polygon::visit(const Ellipse &first, Work &work) const
{
    return each_edge(first, work);
}

pair_status Polygon::visit(const Circle &first, Work &work) const
{
    return each_edge(first, work);
}

pair_status Rect::visit(const Rect &first, Work &work) const
{
    const pair_status status = rect_rect(&first.data, &data, &work.found);
    return status == PAIR_DECLINED ? first.each_edge(*this, work) : status;
}

pair_status Ellipse::visit(const Line &first, Work &work) const
{
    return or_search(line_ellipse(&first.data, &data, &work.found), first,
                     *this, work);
}

pair_status Circle::visit(const Line &first, Work &work) const
{
    return or_search(line_circle(&first.data, &round, &work.found), first,
                     *this, work);
}

pair_status Circle::visit(const Arc &first, Work &work) const
{
    return or_search(arc_circle(&first.data, &round, &work.found), first, *this,
                     work);
}

pair_status Circle::visit(const Circle &first, Work &work) const
{
    return or_search(circle_circle(&first.round, &round, &work.found), first,
                     *this, work);
}

/* ---- The job --------------------------------------------------------- */

using Icon = std::vector<std::unique_ptr<Shape>>;
using Icons = std::vector<Icon>;

std::unique_ptr<Shape> make_shape(const drawing_shape &from)
{
    switch (from.kind) {
    case DRAWING_LINE:
        return std::make_unique<Line>(from.as.line);
    case DRAWING_QUADRATIC:
        return std::make_unique<Quadratic>(from.as.quadratic);
    case DRAWING_CUBIC:
        return std::make_unique<Cubic>(from.as.cubic);
    case DRAWING_ARC:
        return std::make_unique<Arc>(from.as.arc);
    case DRAWING_POLYGON:
        return std::make_unique<Polygon>(from.as.polygon);
    case DRAWING_RECT:
        return std::make_unique<Rect>(from.as.rect);
    case DRAWING_ELLIPSE:
        return std::make_unique<Ellipse>(from.as.ellipse);
    default:
        return std::make_unique<Circle>(from.as.circle);
    }
}

pair_status run_icon(const Icon &icon, Work &work)
{
    for (size_t i = 0; i < icon.size(); i++)
        for (size_t k = i + 1; k < icon.size(); k++) {
            hits_start_pair(&work.found);
            const pair_status status = intersect(*icon[i], *icon[k], work);
            if (status != PAIR_DONE)
                return status;
        }
    drawing_take_points(work.result, &work.found);
    return PAIR_DONE;
}

} // namespace

int drawing_visitor_load(const drawing_collection *icons, drawing_job *out)
{
    *out = drawing_job{icons, nullptr, false};
    try {
        auto own = std::make_unique<Icons>(icons->count);
        for (size_t i = 0; i < icons->count; i++)
            for (size_t k = 0; k < icons->icons[i].count; k++)
                (*own)[i].push_back(make_shape(icons->icons[i].shapes[k]));
        out->own = own.release();
        return 0;
    } catch (const std::bad_alloc &) {
        return -1;
    }
}

int drawing_visitor_run(const drawing_job *job, drawing_result *out)
{
    std::memset(out, 0, sizeof *out);
    Work work = {{}, out, job->count_calls};
    hits_init(&work.found);
    int failed = 0;
    for (const Icon &icon : *static_cast<const Icons *>(job->own)) {
        out->icons++;
        out->shapes += icon.size();
        if (run_icon(icon, work) != PAIR_DONE) {
            failed = -1;
            break;
        }
    }
    out->cut_short = work.found.cut_short;
    hits_free(&work.found);
    return failed;
}

void drawing_visitor_unload(drawing_job *job)
{
    delete static_cast<Icons *>(job->own);
    job->own = nullptr;
}
