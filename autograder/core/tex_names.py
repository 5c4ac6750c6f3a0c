"""The macros and environments of TeX that a student's formula may use: those that only set signs.

None of them makes a link, sets an attribute or a style of the page, defines a macro or loads an extension of MathJax.
"""

from __future__ import annotations

_GREEK = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi omicron pi
    varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega digamma Gamma Delta Theta Lambda Xi Pi Sigma
    Upsilon Phi Psi Omega varGamma varDelta varTheta varLambda varXi varPi varSigma varUpsilon varPhi varPsi varOmega
    aleph beth gimel daleth ell hbar hslash imath jmath wp Re Im eth mho Bbbk
"""
_FUNCTIONS = """
    arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf injlim ker lg lim liminf limsup ln log
    max min Pr projlim sec sin sinh sup tan tanh varinjlim varliminf varlimsup varprojlim bmod pmod mod pod operatorname
    argmax argmin
"""
_LARGE = """
    sum prod coprod int iint iiint iiiint idotsint oint oiint intop smallint bigcap bigcup bigodot bigoplus bigotimes
    bigsqcup biguplus bigvee bigwedge
"""
_BINARY = """
    pm mp times div cdot ast star circ bullet cap cup uplus sqcap sqcup vee wedge lor land setminus smallsetminus wr
    diamond bigtriangleup bigtriangledown triangleleft triangleright lhd rhd unlhd unrhd oplus ominus otimes oslash odot
    bigcirc dagger ddagger amalg centerdot dotplus ltimes rtimes leftthreetimes rightthreetimes circleddash circledast
    circledcirc boxplus boxminus boxtimes boxdot barwedge veebar doublebarwedge curlywedge curlyvee intercal
    divideontimes Cap Cup doublecap doublecup
"""
_RELATIONS = """
    le leq ge geq ne neq equiv sim simeq approx approxeq cong propto varpropto prec succ preceq succeq ll gg lll ggg
    subset supset subseteq supseteq subseteqq supseteqq subsetneq supsetneq subsetneqq supsetneqq Subset Supset sqsubset
    sqsupset sqsubseteq sqsupseteq in ni notin owns vdash dashv vDash Vdash Vvdash models perp mid nmid parallel
    nparallel bowtie Join smile frown asymp doteq doteqdot Doteq fallingdotseq risingdotseq triangleq circeq eqcirc
    bumpeq Bumpeq backsim backsimeq leqq geqq leqslant geqslant eqslantless eqslantgtr lesssim gtrsim lessapprox
    gtrapprox lessgtr gtrless lesseqgtr gtreqless lesseqqgtr gtreqqless lessdot gtrdot precsim succsim precapprox
    succapprox preccurlyeq succcurlyeq curlyeqprec curlyeqsucc nless ngtr nleq ngeq nleqslant ngeqslant lneq gneq lneqq
    gneqq lnsim gnsim nprec nsucc npreceq nsucceq nsim ncong nsubseteq nsupseteq nvdash nvDash nVdash nVDash not between
    pitchfork therefore because vartriangleleft vartriangleright trianglelefteq trianglerighteq ntriangleleft
    ntriangleright thicksim thickapprox coloneqq eqqcolon coloneq colon vcentcolon
"""
_ARROWS = """
    to gets leftarrow rightarrow uparrow downarrow leftrightarrow updownarrow Leftarrow Rightarrow Uparrow Downarrow
    Leftrightarrow Updownarrow longleftarrow longrightarrow longleftrightarrow Longleftarrow Longrightarrow
    Longleftrightarrow iff implies impliedby mapsto longmapsto hookleftarrow hookrightarrow leftharpoonup
    leftharpoondown rightharpoonup rightharpoondown rightleftharpoons leftrightharpoons nearrow searrow swarrow nwarrow
    leadsto rightsquigarrow leftrightsquigarrow leftleftarrows rightrightarrows upuparrows downdownarrows
    leftrightarrows rightleftarrows Lleftarrow Rrightarrow twoheadleftarrow twoheadrightarrow leftarrowtail
    rightarrowtail curvearrowleft curvearrowright circlearrowleft circlearrowright dashleftarrow dashrightarrow
    upharpoonleft upharpoonright downharpoonleft downharpoonright multimap Lsh Rsh nleftarrow nrightarrow
    nleftrightarrow nLeftarrow nRightarrow nLeftrightarrow xleftarrow xrightarrow xleftrightarrow xLeftarrow xRightarrow
    xLeftrightarrow xmapsto
"""
_SIGNS = """
    infty partial nabla forall exists nexists emptyset varnothing complement neg lnot top bot angle measuredangle
    sphericalangle triangle triangledown square Box Diamond blacksquare blacktriangle blacktriangledown lozenge
    blacklozenge bigstar clubsuit diamondsuit heartsuit spadesuit flat natural sharp surd prime backprime backslash
    checkmark maltese yen pounds P S copyright circledR circledS degree dots cdots ldots vdots ddots dotsb dotsc dotsi
    dotsm dotso lbrace rbrace lbrack rbrack And
"""
_DELIMITERS = """
    left right middle big Big bigg Bigg bigl Bigl biggl Biggl bigr Bigr biggr Biggr bigm Bigm biggm Biggm langle rangle
    lceil rceil lfloor rfloor lvert rvert lVert rVert vert Vert lgroup rgroup lmoustache rmoustache ulcorner urcorner
    llcorner lrcorner
"""
_ACCENTS = """
    hat bar tilde vec dot ddot dddot ddddot acute grave breve check mathring widehat widetilde overline underline
    overbrace underbrace overset underset stackrel overrightarrow overleftarrow overleftrightarrow underrightarrow
    underleftarrow underleftrightarrow overparen underparen
"""
_LAYOUT = """
    frac dfrac tfrac cfrac genfrac binom dbinom tbinom choose over atop sqrt root substack sideset limits nolimits
    displaystyle textstyle scriptstyle scriptscriptstyle phantom hphantom vphantom smash mathstrut strut boxed cancel
    bcancel xcancel begin end hline hdashline cr tag notag nonumber intertext quad qquad enspace
    thinspace medspace thickspace negthinspace negmedspace negthickspace hspace hfill hfil newline
"""
_FONTS = """
    text textrm textbf textit textsf texttt textnormal textup emph mbox hbox mathrm mathbf mathit mathsf mathtt mathcal
    mathbb mathfrak mathscr mathnormal mathop mathbin mathrel mathopen mathclose mathpunct mathord mathinner boldsymbol
    bm pmb rm bf it sf tt cal scr frak Bbb mit tiny scriptsize small normalsize large Large color textcolor
    TeX LaTeX
"""

MACROS = frozenset(
    " ".join(
        (_GREEK, _FUNCTIONS, _LARGE, _BINARY, _RELATIONS, _ARROWS, _SIGNS, _DELIMITERS, _ACCENTS, _LAYOUT, _FONTS)
    ).split()
)
"""Names of macros, without the backslash."""
_NUMBERED = "equation align alignat flalign gather multline eqnarray"
_OTHERS = """
    split aligned alignedat gathered cases dcases rcases drcases array subarray smallmatrix
    matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix math displaymath
"""
ENVIRONMENTS = frozenset([*_OTHERS.split(), *_NUMBERED.split(), *(f"{name}*" for name in _NUMBERED.split())])
"""Names of environments."""
